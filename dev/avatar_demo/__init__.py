"""The demo: from twelve photos to pictures on one machine, on the code paths that production uses.

`make demo` puts together what the other packages make, and pretends nothing: a real API server (`local_cluster`), an
AWS whose SageMaker really runs (`sagemaker_local`), the operator as a process of its own with the rights that the chart
ships, and the plain manifests of `examples/01-first-avatar`. Here stands only what glues them:

    environment (what runs) -> aws_account, operator_rights (what must be there) -> example (what a user does)
      -> observation (look) -> narration (say, pure) -> live_view (show) -> base_pictures, contact_sheet, report (the end)

The environment stays up until `make down`; a second `make demo` finds it, deletes the example's model and request, and
makes them anew, so what is shown is always the whole way. sagemaker_local keeps S3 in memory: when it has to be started,
the cluster starts empty too, or it would promise artifacts that are gone.
"""
