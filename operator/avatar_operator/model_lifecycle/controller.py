"""The effects of an AvatarModel's life: what the phases ask for is carried out here, what they look at `gathering.py` gathers.

What is remembered between passes is only what may be lost: progress messages, which attempts were planned by this
process, and when an outcome was last asked for. Outcomes are asked for when there is a reason (a notification, a start
of the process) and otherwise at the sweeper's slow pace, never by polling an object.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

import structlog

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import TrainingProgressMessage, TrainingRequest
from avatar_api.group import AVATAR_MODEL
from avatar_operator.backends.attempts import (
    AttemptReference,
    ClaimedByWorker,
)
from avatar_operator.backends.failures import BackendError, OutcomeUnknownError
from avatar_operator.backends.selection import Backends
from avatar_operator.core.clock import Clock
from avatar_operator.core.waiting import all_finished
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.kube.memory import Memory
from avatar_operator.kube.namespaces import NamespaceLabels
from avatar_operator.left_behind.actions import (
    DataDeleted,
    LeftBehindHandedOver,
    MarkedRetained,
    MarkRetained,
    RecordLeftBehind,
    UnmarkedRetained,
    UnmarkRetained,
)
from avatar_operator.left_behind.entries import left_by_model
from avatar_operator.left_behind.last_removal import awaited
from avatar_operator.left_behind.register import LeftBehindRegister
from avatar_operator.locations import artifact_directories
from avatar_operator.model_lifecycle.actions import (
    AnswerLost,
    AttemptCancelled,
    AttemptClaimed,
    AttemptFenced,
    CancelAttempt,
    CredentialsGiven,
    CredentialsWithdrawn,
    DeleteModelData,
    FenceAttempt,
    GiveCredentials,
    ModelAction,
    ModelDraft,
    ModelFact,
    SubmissionAccepted,
    SubmitTraining,
    WithdrawCredentials,
)
from avatar_operator.model_lifecycle.gathering import ModelGathering, remember
from avatar_operator.model_lifecycle.inquiries import needs_place
from avatar_operator.model_lifecycle.lifecycle import decide, fold, summarise
from avatar_operator.model_lifecycle.measures import measure
from avatar_operator.model_lifecycle.notes import AttemptNotes
from avatar_operator.model_lifecycle.observation import (
    ModelObservation,
    is_active,
    is_submitted,
)
from avatar_operator.model_lifecycle.possible_progress import is_possible
from avatar_operator.quotas import NamespaceQuotas
from avatar_operator.telemetry.metrics import OperatorMetrics

logger = structlog.get_logger(__name__)


@dataclass
class ModelLifecycle:
    """An AvatarModel's observe and act."""

    cache: ObjectCache
    backends: Backends
    clock: Clock
    metrics: OperatorMetrics
    left_behind: LeftBehindRegister
    namespaces: NamespaceLabels
    quotas: NamespaceQuotas
    kind = AVATAR_MODEL

    def __post_init__(self) -> None:
        self._memory: Memory[AttemptNotes] = Memory(self.cache, AttemptNotes())
        self._gathering = ModelGathering(
            self.cache, self.backends, self.clock, self.left_behind, self.namespaces, self._memory
        )

    def hint_outcome(self, key: ObjectKey) -> None:
        """There may be news of the model's attempt: ask at the next pass."""
        body = self.cache.get(key)
        if body is not None:
            self._remember(body["metadata"]["uid"], ask_for_outcome=True)

    def hint_progress(self, key: ObjectKey, message: TrainingProgressMessage) -> bool:
        """A worker said how far it is, or somebody did: False if no attempt of the model can be as far."""
        body = self.cache.get(key)
        if body is None:
            return True
        if not is_possible(message, body):
            return False
        uid = body["metadata"]["uid"]
        self._memory.note(uid, self._memory.of(uid).with_progress(message, self.clock.now()))
        return True

    async def observe(self, body: Object) -> ModelObservation:
        """Gather the runtime, and the photos or the outcome where a decision depends on them; then ask for a place."""
        with self.quotas.standing_back_on_failure(body):
            observation = await self._gathering.gather(body)
            has_place = self.quotas.judge(body, observation.runtime, lambda: needs_place(observation))
        return replace(observation, has_place=has_place)

    def decide(self, observation: ModelObservation) -> ModelDraft:
        """What to do. Pure."""
        return decide(observation)

    def summarise(self, observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
        """Derive the summary from the details. Pure."""
        return summarise(observation, draft)

    def observed_status(self, observation: ModelObservation) -> AvatarModelStatus:
        """The status as it was observed."""
        return observation.recorded or observation.model.status

    def log_fields(self, status: AvatarModelStatus) -> dict[str, object]:
        """Revision, attempt and inference id, as the worker's log has them."""
        training = status.training
        if training is None:
            return {}
        return {
            "revision": training.revision,
            "attempt": training.attempt,
            "inference_id": training.inference_id,
        }

    def written(self, observation: ModelObservation, status: AvatarModelStatus) -> None:
        """A plan that this write brought may be submitted by this process without fencing. Measure what changed."""
        before, training = observation.model.status.training, status.training
        measure(self.metrics, observation, status)
        if training is None or not is_active(training) or is_submitted(training):
            return
        # A plan that stood there before may have been submitted since: writing it once more makes it no safer.
        if before is None or before.inference_id != training.inference_id:
            uid = observation.model.metadata.uid
            self._remember(uid, planned_inference_id=training.inference_id)

    async def perform(self, observation: ModelObservation, action: ModelAction) -> ModelFact:
        """Carry out one action.

        Raises:
            BackendError: it failed.
        """
        runtime, model = observation.runtime, observation.model
        assert runtime is not None
        if isinstance(action, RecordLeftBehind):
            end = action.may_grow_until
            entry = left_by_model(runtime, model, observation.now, may_grow_until=end)
            if action.is_removed and end is not None:
                entry = awaited(entry, end)
            self.left_behind.hand_over(runtime.metadata.name, entry)
            return LeftBehindHandedOver(action.remains)
        backend = self.backends.of(runtime)
        match action:
            case SubmitTraining(attempt=attempt, request=request):
                return await self._submit(observation, runtime, attempt, request)
            case FenceAttempt(attempt=attempt):
                result = await backend.storage.fence_attempt(runtime, attempt)
                if not isinstance(result, ClaimedByWorker):
                    self.metrics.attempt_abandoned(model.metadata.namespace)
                    return AttemptFenced()
                self._remember(model.metadata.uid, ask_for_outcome=True)
                return AttemptClaimed(since=result.since)
            case CancelAttempt(attempt=attempt):
                claimed = await self._claimed(runtime, model, attempt)
                await backend.storage.revoke_claim(runtime, attempt)
                await backend.compute.stop_training(runtime, attempt)
                self._remember(model.metadata.uid, ask_for_outcome=True)
                return AttemptCancelled(claimed)
            case GiveCredentials(attempt=attempt, request=request):
                renew_after = await self._give_credentials(runtime, attempt, request)
                return CredentialsWithdrawn() if renew_after is None else CredentialsGiven(renew_after)
            case WithdrawCredentials(attempt=attempt):
                await backend.compute.withdraw_credentials(runtime, attempt)
                self._remember(model.metadata.uid, credentials_due=None)
                return CredentialsWithdrawn()
            case MarkRetained():
                for directory in artifact_directories(runtime, model):
                    await backend.storage.mark_retained(runtime, directory)
                return MarkedRetained()
            case UnmarkRetained():
                for directory in artifact_directories(runtime, model):
                    await backend.storage.unmark_retained(runtime, directory)
                return UnmarkedRetained()
            case DeleteModelData(artifacts=artifacts):
                stored, outcomes = await all_finished(
                    [
                        backend.storage.delete_model_data(runtime, model, artifacts=artifacts),
                        backend.compute.delete_outcomes(runtime, model),
                    ]
                )
                return DataDeleted(stored.with_that_of(outcomes))
            case _:
                assert_never(action)

    def fold(self, observation: ModelObservation, draft: ModelDraft, fact: ModelFact) -> ModelDraft:
        """The draft with what an action learned. Pure."""
        return fold(observation, draft, fact)

    async def _claimed(
        self, runtime: AvatarRuntime, model: AvatarModel, attempt: AttemptReference
    ) -> datetime | None:
        """Since when a worker has an attempt that is about to lose its claim: the claim cannot be asked afterwards.

        Asked only where that decides something: for a model that goes, and of whose worker nobody has heard.
        """
        training = model.status.training
        known = training is not None and training.start_time is not None
        if model.metadata.deletion_timestamp is None or known:
            return None
        try:
            return await self.backends.of(runtime).storage.claimed_since(runtime, attempt)
        except BackendError:
            # The claim must go whether it can be read or not; and a worker of which nobody knows may be at work.
            return self.clock.now()

    async def _submit(
        self,
        observation: ModelObservation,
        runtime: AvatarRuntime,
        attempt: AttemptReference,
        request: TrainingRequest,
    ) -> SubmissionAccepted | AnswerLost:
        uid = observation.model.metadata.uid
        # From here until the answer is recorded, nobody can know whether the call arrived.
        self._remember(uid, planned_inference_id=None)
        try:
            backend = self.backends.of(runtime)
            if await self._give_credentials(runtime, attempt, request) is not None:
                # Promised only where they lie already: a worker that was promised some does nothing without.
                request = request.model_copy(update={"credentials_uri": attempt.locations.credentials})
            document = await backend.storage.write_request(runtime, attempt, request)
            submission = await backend.compute.submit_training(runtime, request, document)
        except OutcomeUnknownError as error:
            logger.warning(
                "the answer to a submission was lost", inference_id=request.inference_id, error=error.in_full
            )
            return AnswerLost()
        except BackendError:
            # Certainly not submitted: the same attempt may be tried again.
            self._remember(uid, planned_inference_id=request.inference_id)
            raise
        self._remember(uid, ask_for_outcome=True)
        return SubmissionAccepted(submission, request.training.steps)

    async def _give_credentials(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> float | None:
        renew_after = await self.backends.of(runtime).compute.give_credentials(runtime, attempt, request)
        if renew_after is not None:
            due = self.clock.now() + timedelta(seconds=renew_after)
            self._remember(attempt.uid, credentials_due=due)
        return renew_after

    def _remember(self, uid: str, **changes: Any) -> None:
        remember(self._memory, uid, **changes)
