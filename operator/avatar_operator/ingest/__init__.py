"""Hints from the queue: something may have happened, go and look.

`messages` reads what arrives, `sqs` brings it from a `queue`, `unknown_objects` is about what belongs to somebody else,
`consumers` keeps one going for each queue. A hint carries no truth: the reconciler looks at S3 for that, so a message
that is lost, doubled, late or forged costs freshness at most.
"""
