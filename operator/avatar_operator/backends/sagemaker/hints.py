"""What is told of trainings: SageMaker's notifications and the workers' progress arrive on one SQS queue."""

from collections.abc import Callable
from dataclasses import dataclass, field

from avatar_operator.ingest.messages import OnHint
from avatar_operator.ingest.metrics import IngestMetrics
from avatar_operator.ingest.sqs import Consumer


@dataclass(frozen=True)
class SqsHints:
    """A queue that hints arrive on. Runtimes that name the same queue share its one consumer."""

    queue_url: str
    region: str
    metrics: IngestMetrics = field(compare=False, repr=False)
    before_send: Callable[[], None] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.queue_url

    async def run(self, on_hint: OnHint) -> None:
        """See HintSource.run."""
        await Consumer(self.queue_url, self.region, on_hint, self.metrics, before_send=self.before_send).run()
