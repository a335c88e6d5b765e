"""What `helm install` does for the operator's rights: kinds, namespace, service account, and the chart's own roles.

Roles and policy are the chart's files as they stand, so the demo fails if the operator needs more than it will have in
production, or a user's step writes what is the operator's alone.
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


def install_kinds_and_rights(cluster: Cluster, crds: Path, rights: Path) -> Path:
    """Apply CRDs, RBAC and the admission policy.

    Args:
        cluster: where.
        crds: their folder.
        rights: the chart's folder of roles and policies.

    Returns:
        A kubeconfig that logs in as the operator's service account.

    Raises:
        LocalClusterError: something is missing or was refused.
    """
    cluster.apply_crds(crds)
    cluster.apply_manifest(f"{(rights / 'cluster-role.yaml').read_text()}\n---\n{_IDENTITY}")
    cluster.apply_manifest((rights / "role.yaml").read_text(), namespace=OPERATOR_NAMESPACE)
    cluster.apply(rights / "user-roles.yaml", rights / "status-policy.yaml")
    return cluster.kubeconfig_for_service_account(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT)
