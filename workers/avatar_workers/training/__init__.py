"""The training worker: photos of one person in, a personal model out.

    claim -> prepare -> train -> package -> upload

`attempt.train` is the core: one attempt from request to result, with the storage and the progress reporter handed in.
`container` is the shell that SageMaker speaks to. The base model stays resident between attempts; an attempt adds a
LoRA to it, trains that, and takes it off again, so the base is the same to the bit before and after.

What can go wrong on the user's side (photos, configuration) ends in a 4xx whose message says how to mend it. The
artifact is uploaded last, and its manifest after it: a worker that dies anywhere before leaves no artifact.
"""
