"""What consumers count. Every series is there from the start: one that appears with its first event has no rate then."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from avatar_operator.aws.errors import FAILURE_REASONS
from avatar_operator.ingest.messages import HintOutcome

REFUSED = "Refused"
"""The reason of what SQS refused inside a batch that it carried out."""
UNEXPECTED = "UnexpectedError"
FAILED = "Failed"
IGNORED = "Ignored"
DROPPED = "Dropped"
OPERATIONS = ("ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch")
_ATTEMPT_OUTCOMES = (
    HintOutcome.TAKEN.value,
    HintOutcome.UNKNOWN.value,
    HintOutcome.STALE.value,
    FAILED,
)
OUTCOMES = {
    "Attempt": _ATTEMPT_OUTCOMES,
    "Progress": (*_ATTEMPT_OUTCOMES, HintOutcome.IMPOSSIBLE.value),
    "Photos": (HintOutcome.TAKEN.value, HintOutcome.UNAWAITED.value, FAILED),
    "TestNotification": (IGNORED,),
    "TestEvent": (IGNORED,),
    "ForeignInference": (IGNORED,),
    "Unparsable": (DROPPED,),
}
"""What can become of each kind of message."""


class IngestMetrics:
    """The series that all consumers of a process share.

    Args:
        registry: where they are published.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "avatar_ingest_messages_total",
            "Messages received, by what they are and what became of them. Unknown: left for whoever knows the object. Unawaited: "
            "photos that nobody waits for. Impossible: progress that the attempt cannot make, made up by somebody.",
            ["kind", "outcome"],
            registry=registry,
        )
        self.latency = Histogram(
            "avatar_ingest_latency_seconds",
            "Seconds from the sending of a message until its hint was handed over.",
            ["kind"],
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 1800),
            registry=registry,
        )
        self.errors = Counter(
            "avatar_ingest_errors_total",
            "Calls to SQS that failed, by reason.",
            ["op", "reason"],
            registry=registry,
        )
        for kind, outcomes in OUTCOMES.items():
            self.latency.labels(kind)
            for outcome in outcomes:
                self.messages.labels(kind, outcome)
        for operation in OPERATIONS:
            for reason in (*FAILURE_REASONS, REFUSED, UNEXPECTED):
                self.errors.labels(operation, reason)
