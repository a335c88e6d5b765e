"""The base: one frozen diffusers pipeline, pinned by the digest of its directory.

`directory_digest` defines the digest (without torch: the command `avatar-workers digest DIR` and the operator's people
use it too), `locate` brings the directory from S3 into the worker's cache and checks it, `pipeline` loads it.

What every personal model is trained on and drawn with must be the same to the bit: the worker refuses to start on
another digest than it was told, and a training request names the digest that it was written for.
"""
