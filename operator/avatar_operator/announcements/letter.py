"""What is on its way to one place, and how it can fail to arrive. Who carries it is told nothing else."""

from dataclasses import dataclass

from avatar_api.group import Kind
from avatar_operator.core.news import News
from avatar_operator.kube.client import Object

EVENTS = ""
"""The destination of Events; all others are names of runtimes."""


class UndeliverableError(Exception):
    """A letter did not arrive.

    Attributes:
        reason: one CamelCase word.
        message: what happened and how to mend it, for a person.
        hopeless: trying again cannot help.
    """

    def __init__(self, reason: str, message: str, *, hopeless: bool) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.hopeless = hopeless


@dataclass(frozen=True)
class Letter:
    """One piece of news on its way to one place.

    Attributes:
        destination: EVENTS, or the name of the runtime whose topic is to be told.
        kind: of the object.
        body: the object's kind, and its name, namespace, uid and resourceVersion, as they were.
        version: the object's resourceVersion.
        news: what is told.
        written: seconds on the loop's clock when it was posted.
        apart: whether the destination has a place for each namespace, and none of them is known to the others.
    """

    destination: str
    kind: Kind
    body: Object
    version: int
    news: News
    written: float
    apart: bool = False

    @property
    def uid(self) -> str:
        """The object's uid."""
        return str(self.body["metadata"]["uid"])

    @property
    def namespace(self) -> str:
        """The object's namespace; empty if it is in none."""
        return str(self.body["metadata"].get("namespace", ""))
