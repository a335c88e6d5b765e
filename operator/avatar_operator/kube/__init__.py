"""The Kubernetes side: one small client port, a cache fed by the watch, Events, and kopf as the informer."""
