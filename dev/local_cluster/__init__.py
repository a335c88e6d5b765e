"""A real Kubernetes API on one machine: etcd and kube-apiserver as plain processes, without Docker or root.

Why it exists: the operator's promises (what its RBAC allows, what CEL refuses, how often it writes) are
promises about the API server, so tests and the demo talk to a real one.

How it flows: `binaries` finds, downloads or builds the control plane into a cache; `cluster.LocalCluster` starts
it from a state directory; `access.Cluster` is what tests and the demo use, and it works the same on a cluster
that somebody else runs.

Nothing is imported here, because `binaries` runs before the virtual environment exists.
"""
