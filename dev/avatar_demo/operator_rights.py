"""What `helm install` does for the operator's rights: kinds, namespace, service account, and the chart's own roles.

The roles are the chart's files as they stand, so the demo fails if the operator needs more than it will have in production.
"""

from __future__ import annotations

from pathlib import Path

from local_cluster.access import Cluster

OPERATOR_NAMESPACE = "avatar-system"
OPERATOR_ACCOUNT = "avatar-operator"

_IDENTITY = f"""
apiVersion: v1
kind: Namespace
metadata:
  name: {OPERATOR_NAMESPACE}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {OPERATOR_ACCOUNT}
  namespace: {OPERATOR_NAMESPACE}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: avatar-operator
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: avatar-operator
subjects:
- kind: ServiceAccount
  name: {OPERATOR_ACCOUNT}
  namespace: {OPERATOR_NAMESPACE}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: avatar-operator
  namespace: {OPERATOR_NAMESPACE}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: avatar-operator
subjects:
- kind: ServiceAccount
  name: {OPERATOR_ACCOUNT}
  namespace: {OPERATOR_NAMESPACE}
"""


def install_kinds_and_rights(cluster: Cluster, crds: Path, cluster_role: Path, role: Path) -> Path:
    """Apply CRDs and RBAC.

    Returns:
        A kubeconfig that logs in as the operator's service account.

    Raises:
        LocalClusterError: something is missing or was refused.
    """
    cluster.apply_crds(crds)
    cluster.apply_manifest(f"{cluster_role.read_text()}\n---\n{_IDENTITY}")
    cluster.apply_manifest(role.read_text(), namespace=OPERATOR_NAMESPACE)
    return cluster.kubeconfig_for_service_account(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT)
