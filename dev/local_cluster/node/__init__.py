"""A real node beside the control plane: containerd, kubelet and kube-proxy, with a controller-manager and a scheduler.

It lives in namespaces of its own: one for processes, one for mounts, one for the network. The kernel is what tidies up: when the
first process in them ends, however it ends, it kills every other one, containers too, and their mounts, bridges, iptables rules
and the link to the machine go with them. So a test run that is killed with SIGKILL leaves empty control groups and files in the
state directory, and nothing that runs.

`requirements` says whether this machine can have a node, `network` chooses its addresses, `namespaces` starts it, `configuration`
and `commands` are what its programs are told, `cluster.NodeCluster` puts it together.
"""
