"""The reconcile loop that every kind shares.

`scheduling` says whose turn it is, `workers` keeps passes going, `reconciler` does one pass of `steps`, `trouble` remembers why
passes fail.
"""
