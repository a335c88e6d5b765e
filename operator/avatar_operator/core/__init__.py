"""The machinery that knows nothing of avatars: queue, clock, conditions, and the words of a decision."""
