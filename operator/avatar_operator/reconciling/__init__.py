"""The reconcile loop that every kind shares: `reconciler` does one pass, `workers` keeps passes going."""
