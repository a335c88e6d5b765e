"""One line in the log for each step of an object's life, and none for passes that change nothing.

A step is a condition that got another status or reason, and the last one is the object's end. Lines carry the object's uid and,
where there is one, the attempt's inference id: the same words as in the worker's log, so that one search finds both halves of a
story.
"""

from typing import Any

import structlog

from avatar_api.group import Kind
from avatar_api.meta import Condition, ObservedStatus
from avatar_operator.kube.client import Object

logger = structlog.get_logger(__name__)


class StepLog:
    """The lines of one kind."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def log(
        self, body: Object, before: ObservedStatus, after: ObservedStatus, fields: dict[str, object]
    ) -> None:
        """Log what a status write has changed.

        Args:
            body: the object.
            before: its status before the write.
            after: its status after it.
            fields: what else to say.
        """
        known = {condition.type: condition for condition in before.conditions}
        for condition in after.conditions:
            if is_step(known.get(condition.type), condition):
                self._line(body, condition, fields)

    def log_end(self, body: Object, fields: dict[str, object]) -> None:
        """Log that an object which is being deleted was let go.

        Args:
            body: the object.
            fields: what else to say.
        """
        logger.info(f"{self._kind.kind} is let go", **self._about(body), **fields)

    def _line(self, body: Object, condition: Condition, fields: dict[str, object]) -> None:
        logger.info(
            f"{self._kind.kind} {condition.type} is {condition.status}: {condition.reason}",
            **self._about(body),
            why=condition.message,
            **fields,
        )

    def _about(self, body: Object) -> dict[str, object]:
        metadata: dict[str, Any] = body["metadata"]
        return {
            "kind": self._kind.kind,
            "namespace": metadata.get("namespace", ""),
            "name": metadata["name"],
            "uid": metadata["uid"],
        }


SUMMARIES = ("Ready", "Reconciling", "Stalled")
"""Conditions that only repeat what another one says."""


def is_step(before: Condition | None, after: Condition) -> bool:
    """Whether a condition has come to say something else."""
    if after.type in SUMMARIES:
        return False
    return before is None or (before.status, before.reason) != (after.status, after.reason)
