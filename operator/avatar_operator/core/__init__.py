"""The machinery that knows nothing of avatars: queue, clock, conditions, the reconcile loop."""
