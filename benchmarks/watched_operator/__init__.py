"""A busy system for looking at: `make dashboards-picture`.

Two replicas of the operator on a real API server, one of them killed on the way; two tenants whose trainings and pictures
sagemaker_local answers with the stand-in worker, some of them badly; a crowd on the simulated backend; and a real Prometheus that
scrapes all of it every second. What the serving container publishes is played (`played_serving`): the real one needs minutes of
a processor to start, and what is looked at here are the dashboards and not the worker.
"""
