"""Test objects with sensible defaults, and the fakes that unit tests stand on.

`objects` builds AvatarModels, AvatarRequests and AvatarRuntimes; a test names only what it is about. (The manner is
that of cert-manager's `test/unit/gen`.) `model_stages` says how far an AvatarModel's training is. `manifests` builds
what a user would type. `clock` and `virtual_time` give time to the test, `kube` is an API server in memory and
`backend` a backend that answers as told: for unit tests only, the real ones are used everywhere else.
"""
