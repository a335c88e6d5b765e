"""The typed API of the Avatar Operator: the one source of truth for everything that crosses a process boundary.

Two families of types live here, and nothing else:

* the Kubernetes kinds (`AvatarModel`, `AvatarRequest`, `AvatarRuntime`): pydantic models from which the CRD YAML
  beside this package is generated (`python -m avatar_api.generate`);
* `avatar_api.documents`: the JSON documents that the operator and the workers exchange through S3, SQS and HTTP.

The operator, the workers, the gateway and the command line import this package and never each other, so a change
of contract is a change here, seen by both sides at once. The package depends on pydantic alone.
"""
