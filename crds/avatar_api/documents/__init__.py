"""The JSON documents that the operator and the workers exchange.

`training`: request, claim, progress and result of a training. `artifact`: the manifest of a personal model.
`inference`: request and result of drawing. `errors`: how a worker says no. Each names its own version in
`schemaVersion`, so that a worker can refuse what it does not understand instead of guessing.
"""
