"""Where this operator works: in the whole cluster, or in namespaces that are named to it. Pure.

An AvatarRuntime has no namespace, and every operator sees all of them. Two that saw to the same one would undo each other's work
without ever hearing of each other: each has a Lease of its own. So whose a runtime is follows from what stands in it: it belongs to
the operator that watches every namespace that it admits. Namespaces that are disjoint make runtimes that are, and nobody has to be
asked. One that admits "*", or namespaces by label, is nobody's where namespaces are named: who that is, only a whole cluster tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from avatar_api.group import AVATAR_RUNTIME, Kind
from avatar_operator.kube.client import Object

EVERYWHERE = ""
"""What stands for all namespaces where one could be named."""


@dataclass(frozen=True)
class Scope:
    """Where an operator works.

    Attributes:
        namespaces: those that it watches; the whole cluster if there is none.
    """

    namespaces: tuple[str, ...] = ()

    @property
    def is_whole_cluster(self) -> bool:
        """Whether every namespace is watched."""
        return not self.namespaces

    def parts(self, kind: Kind) -> Sequence[str]:
        """The namespaces in which a kind is listed and watched, one after the other; EVERYWHERE for all at once."""
        return self.namespaces if kind.namespaced and self.namespaces else (EVERYWHERE,)

    def includes(self, namespace: str) -> bool:
        """Whether a namespace is watched."""
        return self.is_whole_cluster or namespace in self.namespaces

    def is_foreign(self, kind: Kind, body: Object) -> bool:
        """Whether an object is an AvatarRuntime that another operator sees to, or nobody.

        Args:
            kind: the object's kind.
            body: the object. Read raw: another version may have written it.
        """
        if kind != AVATAR_RUNTIME or self.is_whole_cluster:
            return False
        tenancy: dict[str, Any] = body.get("spec", {}).get("tenancy", {})
        admitted = tenancy.get("allowedNamespaces") or ()
        chosen_by_label = tenancy.get("namespaceSelector") is not None
        return chosen_by_label or not admitted or not set(self.namespaces).issuperset(admitted)


WHOLE_CLUSTER = Scope()
