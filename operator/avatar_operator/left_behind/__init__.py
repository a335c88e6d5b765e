"""What stays when an object goes: handed over to its runtime, which remembers it and goes on trying.

An object that is being deleted is not held for ever by what cannot be removed. But once it is gone nobody else knows what
lies there, and it may be somebody's likeness. So the object is let go only when its runtime's `status.leftBehind` names
its directories. That status has one writer, the runtime's own reconcile; the deleting object's reconcile puts an entry
into the `register`, the runtime's next pass writes it, and the object's next pass finds it there and lets go. A crash in
between loses nothing: the object still has its finalizer, and hands its entry in again.

`entries` says what an object leaves, `actions` what its decision may ask for and learn on the way, and `folding` what follows
from that: the same for a model as for a request.
"""
