"""Debian packages that the tests' node and images need of this machine: `make system-packages` installs those that it lacks.

What can be had otherwise is not among them: programs of the control plane are built into the user's cache, Prometheus is unpacked there.
A program that is there under any package's name counts as there, so that nobody's own containerd is replaced by Debian's.
"""
