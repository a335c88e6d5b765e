"""The HTTP shell that both containers stand in: bodies with limits, errors as documents, a graceful end.

`request_document` reads a typed document from a request, `error_responses` turns every failure into a WorkerError,
`server` runs the app on SageMaker's port and hands SIGTERM to whoever must stop work.
"""
