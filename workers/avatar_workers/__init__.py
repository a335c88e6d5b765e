"""The workers: containers that train personal models and draw with them, and what the two share.

`training` turns photos into a LoRA artifact; `serving` draws with many artifacts over one resident base. Both stand on
the same ground: `storage` (objects in S3), `base_model` (the frozen pipeline, pinned by its digest), `artifact` (the
personal model's archive, written and distrusted), `http` (the shell around both containers), `errors` (the one way to
say no). With the operator they share the documents of `avatar_api`, nothing else.
"""
