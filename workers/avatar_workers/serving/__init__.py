"""The serving worker: one resident base that draws for thousands of people, behind SageMaker's container contracts.

    POST /models          directory -> artifact checked -> PersonalAdapter -> engine        (personal_models)
    POST .../invoke       InferenceRequest -> engine, a batch at a time -> PNG -> S3 or JSON   (drawing, pictures)
    POST /invocations     the same, drawn by the base itself

`engine` is the small interface that everything above it knows; `hooked_engine` implements it. The HTTP door and the
bookkeeping of what is resident live on one event loop and need no locks; the engine draws on one thread of its own, so
probes are answered while it works.
"""
