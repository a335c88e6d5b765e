"""AWS as the operator sees it: clients that never block the event loop, and errors that a person can act on.

`clients` holds the boto3 clients and the threads they run in, `renewable_client` makes one anew whose credentials are no
good any more, `throttling` keeps to rates of our own. `errors` turns what botocore raises into AwsFailure, by AWS's words in
`error_codes`. `s3_location` takes S3 URIs apart (nobody else does), `s3_objects` is the little that the operator does with
objects, `s3_uploads` with what is none yet, `ages` how old something is by AWS's clock. The backends and the announcements
share it.
"""
