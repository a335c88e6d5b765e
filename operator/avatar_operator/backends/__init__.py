"""What does the work: SageMaker in production, a simulation for everything else.

Two ports: `storage` is S3 for every backend, `compute` is what trains and draws. `selection` says which pair serves a
runtime, `metered` counts what is asked of both.
"""
