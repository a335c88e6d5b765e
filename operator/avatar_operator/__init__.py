"""The Avatar Operator.

One way for everything: the watch, the notification queue and the sweeper only say *which* object may need attention;
a keyed, de-duplicating work queue hands each such key to a reconciler, which observes once, decides purely, acts
idempotently and writes the status at most once, and only if it changed. `docs/architecture.md` draws the picture.
"""
