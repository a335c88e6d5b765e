"""charts/avatar-operator/README.md: how to install the chart, and every value with its default and what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator

from reference_pages.chart_schema import settings
from reference_pages.chart_values import SETTINGS_GROUP, ChartValues

_BEGINNING = """<!-- Generated from values.yaml by `make generate`. Do not edit. -->

# The chart of the avatar operator

Kubernetes 1.30 or later, and Helm 4, with which it is tested. No webhook, no certificate, no Secret; the same bytes on every
render, so GitOps finds no difference where there is none.

    helm install avatars charts/avatar-operator --namespace avatar-system --create-namespace \\
      --set image.registry=REGISTRY \\
      --set 'serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn=arn:aws:iam::123456789012:role/avatars-operator'

One installation in a cluster, or one for each group of namespaces (`watchNamespaces`): what they would have in common has fixed names,
so Helm refuses a second one with `invalid ownership metadata`. To move an installation to another release name, add `--take-ownership`.

- **Upgrade.** `helm upgrade` upgrades the CRDs, too. Pods are replaced one by one; whoever leads hands over within a second.
- **Uninstall.** First what lives, while the operator can clean up after it; then `helm uninstall`, which never waits for anybody.
  The CRDs stay, and every avatar with them, unless `crds.keep` is false. Objects that are deleted when no operator runs wait for
  the next one; a release of the same name and namespace takes the CRDs over again.
- **Rights.** `files/cluster-role.yaml` and `files/role.yaml`, no more
  ([what each is for](../../docs/operating.md#permissions-in-kubernetes)); `files/user-roles.yaml` for people,
  `files/status-policy.yaml` against writers of statuses.
- **CRDs by somebody else**: `crds.enabled=false`, and `kubectl apply --server-side -f crds/` before.
- **To try it without AWS**: `demo.enabled`, by an upgrade once the CRDs are there. Its runtime pretends to train, so it needs no
  sagemaker-local; to see pictures, give `demo.sagemakerLocal` an image with the workers and `demo.runtime.spec` a real base.
- **In some namespaces only**: `watchNamespaces`. Roles there, and a ClusterRole for AvatarRuntimes alone
  ([what that means](../../docs/install.md#in-some-namespaces-only)).
- **Pods** fit Pod Security `restricted`, run as any user, and write nowhere.

## Values

Anything else is refused by `values.schema.json`; `global` and `enabled` are let through for umbrella charts.
"""


def chart_page(values: ChartValues) -> str:
    """The page."""
    return "\n".join([_BEGINNING, *_rows(values), ""])


def _rows(values: ChartValues) -> Iterator[str]:
    described = {f"{SETTINGS_GROUP}.{name}": field["description"] for name, field in settings().items()}
    yield "| value | default | what it is |"
    yield "|---|---|---|"
    for path in values.leaves():
        words = described[path] if path in described else values.comments[path].words
        default = json.dumps(values.default(path), separators=(",", ":"))
        yield f"| `{path}` | `{default}` | {words} |"
