"""AWS as the operator sees it: clients that never block the event loop, and errors that a person can act on.

`clients` holds the boto3 clients and the threads they run in, `throttling` the rates that we keep to by ourselves,
`errors` turns what botocore raises into AwsFailure, `s3_location` takes S3 URIs apart (nobody else does), and
`s3_objects` is the little that the operator does with objects. The SageMaker backend and the announcements share it.
"""
