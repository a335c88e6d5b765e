"""How the operator bears load and loss: `make bench-operator`.

A real API server, the operator as a process of its own under the rights of its service account. Writes are counted by
the API server's audit log, memory by the kernel, trainings by AWS's own call log or by every version of the status that
a watch has seen; nothing is asked of the operator but its metrics. Every figure stands beside its goal, and beside a
peer of the same run where there is one.

    crowd          many models at once, a start over all of them, idle minutes, and their deletion
    notifications  from SNS to the status, and what a thousand attempts in flight cost AWS's control plane
    replicas       two operators, killed and frozen at random while models train: duplicates, fail-over, hand-over
"""
