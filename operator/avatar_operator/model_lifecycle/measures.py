"""What a status write says about trainings that Prometheus wants to know."""

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.group import AVATAR_MODEL
from avatar_api.training_status import TrainingStatus
from avatar_operator.backends.selection import backend_name
from avatar_operator.core.conditions import is_true
from avatar_operator.model_lifecycle.conditions import TRAINED
from avatar_operator.model_lifecycle.observation import ModelObservation, is_active, is_submitted
from avatar_operator.telemetry.metrics import OperatorMetrics


def measure(metrics: OperatorMetrics, observation: ModelObservation, status: AvatarModelStatus) -> None:
    """Count and time what the write of a status has changed.

    Args:
        metrics: the series.
        observation: what was observed before the write.
        status: what stands in the API server now.
    """
    namespace = observation.model.metadata.namespace
    metrics.failed(AVATAR_MODEL, namespace, observation.model.status.last_failure, status.last_failure)
    before, after = observation.model.status.training, status.training
    if observation.runtime is None or after is None or after.submitted_time is None:
        return
    backend = backend_name(observation.runtime)
    since_submission = (observation.now - after.submitted_time).total_seconds()
    if before is not None and is_submitted(before) and before.start_time is None:
        waited = _seconds_in_queue(after, since_submission)
        if waited is not None:
            metrics.training_began(backend, max(0.0, waited))
    if after.completion_time is not None and is_active(before):
        succeeded = is_true(status.conditions, TRAINED)
        metrics.training_ended(backend, "succeeded" if succeeded else "failed", since_submission)
        if after.seconds is not None:
            metrics.costs.worked(backend, AVATAR_MODEL, namespace, after.seconds, after.estimated_cost)


def _seconds_in_queue(after: TrainingStatus, since_submission: float) -> float | None:
    """How long an attempt waited for a worker; None if nobody knows yet, or none has come.

    Of a training that was over before its beginning was noticed, the worker says how long it worked.
    """
    if after.start_time is not None and after.submitted_time is not None:
        return (after.start_time - after.submitted_time).total_seconds()
    return None if after.seconds is None else since_submission - after.seconds
