"""Which of the namespaces that are named to the operator it can watch at present: data, and who is told when that changes.

A namespace that does not exist yet has no Role for the operator either, and one whose RoleBinding was taken away looks the same: its
lists are refused with 403. Neither is a reason to end, for the others go on. But what a refused list does not show is not gone:
objects in such a namespace stay as they were known, and nothing is judged by their absence.
"""

from collections.abc import Callable, Mapping, Sequence

import structlog

from avatar_api.group import Kind
from avatar_operator.kube.client import KubeError
from avatar_operator.kube.scope import Scope

FORBIDDEN = 403
logger = structlog.get_logger(__name__)


class WatchedNamespaces:
    """What the last lists of each namespace said.

    Args:
        scope: the namespaces that are named.
        on_change: called when another choice of them can be watched than before.
    """

    def __init__(self, scope: Scope, on_change: Callable[[], None] = lambda: None) -> None:
        self.scope = scope
        self._on_change = on_change
        self._refused: dict[str, set[str]] = {}
        """The plurals of the kinds whose lists are refused, by namespace."""

    def open(self) -> Sequence[str]:
        """Those that can be watched."""
        return [name for name in self.scope.namespaces if name not in self._refused]

    def closed(self) -> Sequence[str]:
        """Those that cannot."""
        return [name for name in self.scope.namespaces if name in self._refused]

    def shows(self, namespace: str) -> bool:
        """Whether everything in a namespace is known, so that what is not known there is not there."""
        return self.scope.includes(namespace) and namespace not in self._refused

    def states(self) -> Mapping[str, bool]:
        """Whether each of those that are named can be watched."""
        return {name: name not in self._refused for name in self.scope.namespaces}

    def note_listed(self, kind: Kind, namespace: str) -> None:
        """A list was answered."""
        refused = self._refused.get(namespace)
        if refused is None:
            return
        refused.discard(kind.plural)
        if not refused:
            del self._refused[namespace]
            logger.info("the namespace can be watched", namespace=namespace)
            self._on_change()

    def note_refused(self, kind: Kind, namespace: str, error: KubeError) -> None:
        """A list was refused.

        Args:
            kind: of the objects.
            namespace: where they would be.
            error: the refusal.

        Raises:
            KubeError: it was none that says something of the namespace.
        """
        if error.status != FORBIDDEN or namespace not in self.scope.namespaces:
            raise error
        was_open = namespace not in self._refused
        self._refused.setdefault(namespace, set()).add(kind.plural)
        if was_open:
            logger.warning(
                "the namespace cannot be watched: it does not exist, or the operator has no Role and RoleBinding there; it is"
                " watched as soon as it can be",
                namespace=namespace,
                plural=kind.plural,
                error=str(error),
            )
            self._on_change()
