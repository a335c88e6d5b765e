"""The effects of an AvatarModel's life: gather what the phases look at, carry out what they ask for.

What is remembered between passes is only what may be lost: progress messages, which attempts were planned by this
process, and when an outcome was last asked for. Outcomes are asked for when there is a reason (a notification, a start
of the process) and otherwise at the sweeper's slow pace, never by polling an object.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import PhotoLocation, TrainingProgressMessage
from avatar_api.group import AVATAR_MODEL
from avatar_operator.backends.base import (
    AttemptOutcome,
    AttemptPending,
    BackendError,
    ClaimedByWorker,
    OutcomeUnknownError,
)
from avatar_operator.backends.selection import Backends, backend_name
from avatar_operator.core.clock import Clock
from avatar_operator.core.condition_drafts import set_condition
from avatar_operator.core.conditions import is_true
from avatar_operator.core.decision import Notice
from avatar_operator.core.errors import RetryLaterError
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import find_runtime
from avatar_operator.metrics import OperatorMetrics
from avatar_operator.model_lifecycle.actions import (
    CancelAttempt,
    DeleteModelData,
    FenceAttempt,
    ModelAction,
    ModelDraft,
    SubmitTraining,
)
from avatar_operator.model_lifecycle.conditions import TRAINED, update_training
from avatar_operator.model_lifecycle.failure import abandon_attempt, fail_attempt
from avatar_operator.model_lifecycle.lifecycle import decide, summarise
from avatar_operator.model_lifecycle.observation import (
    ModelObservation,
    attempt_reference,
    is_active,
    is_settled,
    is_submitted,
)
from avatar_operator.model_lifecycle.phases.acceptance import refusal
from avatar_operator.model_lifecycle.phases.deletion import is_out_of_patience
from avatar_operator.runtime_readiness import endpoints_ready

logger = structlog.get_logger(__name__)


@dataclass
class _Memory:
    """What this process remembers of one model; losing it costs a question, never a training."""

    progress: TrainingProgressMessage | None = None
    progress_received: datetime | None = None
    planned_inference_id: str | None = None
    ask_for_outcome: bool = True


@dataclass
class ModelLifecycle:
    """An AvatarModel's observe and act."""

    cache: ObjectCache
    backends: Backends
    clock: Clock
    metrics: OperatorMetrics
    kind = AVATAR_MODEL
    _memories: dict[ObjectKey, _Memory] = field(default_factory=dict)

    def hint_outcome(self, key: ObjectKey) -> None:
        """There may be news of the model's attempt: ask at the next pass."""
        self._memory(key).ask_for_outcome = True

    def hint_progress(self, key: ObjectKey, message: TrainingProgressMessage) -> None:
        """A worker said how far it is. A message that a newer one has overtaken is dropped.

        A message is overtaken by one with a higher sequence only if it was sent before that one arrived: so whatever
        sequence a stranger makes up, the next honest message counts.
        """
        memory = self._memory(key)
        known, received = memory.progress, memory.progress_received
        if (
            known is not None
            and received is not None
            and known.inference_id == message.inference_id
            and known.sequence >= message.sequence
            and message.time <= received
        ):
            return
        memory.progress, memory.progress_received = message, self.clock.now()

    async def observe(self, body: Object) -> ModelObservation:
        """Gather the runtime, and the photos or the outcome where a decision depends on them."""
        model = AvatarModel.model_validate(body)
        memory = self._memory(_key(model))
        runtime = find_runtime(self.cache, model.spec.runtime_ref.name)
        training = model.status.training
        observation = ModelObservation(
            now=self.clock.now(),
            model=model,
            runtime=runtime,
            progress=memory.progress,
            planned_here=(
                training is not None
                and training.inference_id is not None
                and training.inference_id == memory.planned_inference_id
            ),
        )
        if runtime is None:
            return observation
        # Of another revision's attempt nobody wants to know any more, unless it must have stopped before we let go.
        wanted = training is not None and (
            training.revision == model.spec.revision or model.metadata.deletion_timestamp is not None
        )
        if wanted and is_submitted(training) and memory.ask_for_outcome:
            return replace(observation, outcome=await self._outcome(runtime, model, memory))
        if _needs_photos(observation):
            return replace(observation, photos=await self._photos(runtime, model))
        return observation

    def decide(self, observation: ModelObservation) -> ModelDraft:
        """What to do. Pure."""
        return decide(observation)

    def summarise(self, observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
        """Derive the summary from the details. Pure."""
        return summarise(observation, draft)

    def observed_status(self, observation: ModelObservation) -> AvatarModelStatus:
        """The status as it was observed."""
        return observation.model.status

    def occasion(self, status: AvatarModelStatus) -> str:
        """Attempts tell repeated notices apart."""
        return "" if status.training is None else f"r{status.training.revision}-a{status.training.attempt}"

    def written(self, observation: ModelObservation, status: AvatarModelStatus) -> None:
        """A plan that this write brought may be submitted by this process without fencing. Measure what changed."""
        before, training = observation.model.status.training, status.training
        self._measure(observation, status)
        if training is None or not is_active(training) or is_submitted(training):
            return
        # A plan that stood there before may have been submitted since: writing it once more makes it no safer.
        if before is None or before.inference_id != training.inference_id:
            self._memory(_key(observation.model)).planned_inference_id = training.inference_id

    def _measure(self, observation: ModelObservation, status: AvatarModelStatus) -> None:
        before, after = observation.model.status.training, status.training
        if observation.runtime is None or after is None or after.submitted_time is None:
            return
        backend = backend_name(observation.runtime)
        seconds = (observation.now - after.submitted_time).total_seconds()
        if after.completion_time is not None and is_active(before):
            succeeded = is_true(status.conditions, TRAINED)
            self.metrics.training_ended(backend, "succeeded" if succeeded else "failed", seconds)
        elif after.progress is not None and (before is None or before.progress is None):
            self.metrics.training_began(backend, seconds)

    def forget(self, key: ObjectKey) -> None:
        """The object is gone."""
        self._memories.pop(key, None)

    async def act(self, observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
        """Carry out the actions in their order."""
        for action in draft.actions:
            assert observation.runtime is not None
            try:
                draft = await self._carry_out(observation, observation.runtime, action, draft)
            except BackendError as error:
                if error.retryable and not is_out_of_patience(observation):
                    raise RetryLaterError(error.message, at_least=error.retry_after or 0.0) from error
                draft = self._refused(observation, action, draft, error)
        return draft

    async def _carry_out(
        self, observation: ModelObservation, runtime: AvatarRuntime, action: ModelAction, draft: ModelDraft
    ) -> ModelDraft:
        backend = self.backends.of(runtime)
        match action:
            case SubmitTraining():
                return await self._submit(observation, runtime, action, draft)
            case FenceAttempt(attempt=attempt):
                result = await backend.fence_attempt(runtime, attempt)
                if isinstance(result, ClaimedByWorker):
                    self.hint_outcome(_key(observation.model))
                    return _submitted(
                        observation,
                        draft,
                        output=result.output_location,
                        failure=result.failure_location,
                        log_url=None,
                    ).look_again_in(0)
                return abandon_attempt(observation, draft)
            case CancelAttempt(attempt=attempt):
                await backend.cancel_attempt(runtime, attempt)
                self.hint_outcome(_key(observation.model))
                return draft
            case DeleteModelData(artifacts=artifacts, give_up=give_up):
                report = await backend.delete_model_data(runtime, observation.model, artifacts=artifacts)
                if not report.left_behind:
                    return draft
                remains = f"Not everything could be removed: {'; '.join(report.left_behind)}"
                if not give_up:
                    raise RetryLaterError(remains, at_least=5.0)
                return draft.tell(Notice("Warning", "CleanupIncomplete", remains))

    async def _submit(
        self, observation: ModelObservation, runtime: AvatarRuntime, action: SubmitTraining, draft: ModelDraft
    ) -> ModelDraft:
        memory = self._memory(_key(observation.model))
        # From here until the answer is recorded, nobody can know whether the call arrived.
        memory.planned_inference_id = None
        try:
            submission = await self.backends.of(runtime).submit_training(runtime, action.request)
        except OutcomeUnknownError as error:
            logger.warning(
                "the answer to a submission was lost",
                inference_id=action.request.inference_id,
                error=str(error),
            )
            return draft.look_again_in(0)
        except BackendError as error:
            memory.planned_inference_id = action.request.inference_id
            if not error.retryable:
                raise
            return set_condition(
                observation,
                draft,
                TRAINED,
                "False",
                "SubmissionDelayed",
                f"{error.message} It is tried again.",
            ).retry(at_least=error.retry_after or 0.0)
        # Asked once without a hint: a backend that sends none says when to ask again.
        memory.ask_for_outcome = True
        return _submitted(
            observation,
            draft,
            output=submission.output_location,
            failure=submission.failure_location,
            log_url=submission.log_url,
        )

    @staticmethod
    def _refused(
        observation: ModelObservation, action: ModelAction, draft: ModelDraft, error: BackendError
    ) -> ModelDraft:
        if isinstance(action, SubmitTraining):
            return fail_attempt(
                observation, draft, reason=error.reason, message=error.message, retryable=False
            )
        if isinstance(action, DeleteModelData) and not action.give_up:
            raise RetryLaterError(error.message, at_least=5.0) from error
        return draft.tell(Notice("Warning", error.reason, error.message))

    async def _photos(
        self, runtime: AvatarRuntime, model: AvatarModel
    ) -> Sequence[PhotoLocation] | BackendError:
        try:
            return await self.backends.of(runtime).list_photos(runtime, model)
        except BackendError as error:
            if error.retryable:
                raise RetryLaterError(error.message, at_least=error.retry_after or 0.0) from error
            return error

    async def _outcome(
        self, runtime: AvatarRuntime, model: AvatarModel, memory: _Memory
    ) -> AttemptOutcome | BackendError:
        assert model.status.training is not None
        # Only "no news" is an answer to rest on, and only if no hint has come while we asked.
        memory.ask_for_outcome = False
        try:
            outcome = await self.backends.of(runtime).attempt_outcome(
                runtime, attempt_reference(model, model.status.training)
            )
        except BackendError as error:
            memory.ask_for_outcome = True
            return error
        if not isinstance(outcome, AttemptPending) or outcome.check_after is not None:
            memory.ask_for_outcome = True
        return outcome

    def _memory(self, key: ObjectKey) -> _Memory:
        return self._memories.setdefault(key, _Memory())


def _submitted(
    observation: ModelObservation,
    draft: ModelDraft,
    *,
    output: str | None,
    failure: str | None,
    log_url: str | None,
) -> ModelDraft:
    draft = update_training(
        draft,
        submitted_time=observation.now,
        output_location=output,
        failure_location=failure,
        log_url=log_url,
    )
    training = draft.status.training
    assert training is not None
    draft = set_condition(
        observation, draft, TRAINED, "False", "Queued", f"Attempt {training.attempt} waits for a worker."
    )
    message = f"Attempt {training.attempt} was queued as {training.inference_id}."
    return draft.tell(Notice("Normal", "TrainingSubmitted", message))


def _needs_photos(observation: ModelObservation) -> bool:
    model, runtime, training = observation.model, observation.runtime, observation.model.status.training
    if runtime is None or model.metadata.deletion_timestamp is not None or model.spec.suspend:
        return False
    if training is not None and training.revision == model.spec.revision:
        if is_submitted(training) or is_settled(training):
            return False
        if is_active(training):
            return observation.planned_here
        if training.retry_time is not None and observation.now < training.retry_time:
            return False
    # Whoever may not train may not make us look into a bucket either.
    return refusal(runtime, model) is None and endpoints_ready(runtime)


def _key(model: AvatarModel) -> ObjectKey:
    return ObjectKey(AVATAR_MODEL.kind, model.metadata.namespace, model.metadata.name)
