"""What is kept, in S3: the port Storage for every backend.

`storage` is the port's implementation, one line a verb; each verb lives in a file of its own:

    photos             what a model names, pinned
    request_documents  what an attempt was sent with
    claims             who owns an attempt, and the request document that goes with it
    artifacts          whether an artifact is what the worker says it is
    pictures           what was drawn
    cleanup            deletion, and an honest word about the rest
    owners             whose data lies there, for whoever looks for what has lost its object
"""

from avatar_operator.backends.s3.storage import S3Storage

__all__ = ["S3Storage"]
