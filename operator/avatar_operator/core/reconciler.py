"""The one reconcile loop: observe, decide, act, tell, write the status once.

What differs between the kinds is a `Lifecycle`; what is the same for all of them is here, in this order:

1. The finalizer is there before anything happens in the outside world that deletion would have to undo.
2. Actions run. Each folds what it learned into the draft, so the status that is written tells the truth.
3. Notices are told before the status is written. Telling is idempotent, so a crash in between tells them again and
   changes nothing; the other order would lose them.
4. The status is written, if it changed, against the exact version that was observed. If somebody was faster the
   write is refused, and the key is looked at again.
"""



