"""What this process remembers of a model's attempt. Losing it costs a question, never a training. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from avatar_api.documents.training import TrainingProgressMessage

LONGEST_DELAY = timedelta(seconds=30)
"""How much later than a newer one a message is delivered at most, if nothing is wrong."""


@dataclass(frozen=True)
class AttemptNotes:
    """What is remembered.

    Attributes:
        progress: the newest message of a worker.
        progress_received: when it came.
        planned_inference_id: the attempt that this process has planned and certainly not submitted.
        ask_for_outcome: whether the next pass asks how the attempt stands.
        credentials_due: when the attempt's credentials have to be renewed; None if none were given, or nobody knows when.
    """

    progress: TrainingProgressMessage | None = None
    progress_received: datetime | None = None
    planned_inference_id: str | None = None
    ask_for_outcome: bool = True
    credentials_due: datetime | None = None

    def with_progress(self, message: TrainingProgressMessage, now: datetime) -> "AttemptNotes":
        """A worker said how far it is. A message that a newer one has overtaken is dropped.

        A message is overtaken by one with a higher sequence only if it was sent before that one arrived, and arrives
        soon after it: so whatever sequence a stranger makes up, the next honest message counts, by the clock of its
        worker at once, and where that clock is wrong after half a minute.
        """
        known, received = self.progress, self.progress_received
        if (
            known is not None
            and received is not None
            and known.inference_id == message.inference_id
            and known.sequence >= message.sequence
            and message.time <= received
            and now - received < LONGEST_DELAY
        ):
            return self
        return replace(self, progress=message, progress_received=now)
