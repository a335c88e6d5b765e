"""What an AvatarModel's phases look at, gathered once a pass: its runtime, and photos or outcome where a decision depends on them.

Whatever fails on the way is a part of the observation, so that a phase says what it means. What nobody will look at is not asked
for: each question costs a call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import TrainingRequest
from avatar_api.reading import read_object
from avatar_operator.backends.attempts import AttemptOutcome, AttemptPending, AttemptSucceeded
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.selection import Backends
from avatar_operator.core.clock import Clock
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import find_keeper, find_runtime, runtime_is_foreign
from avatar_operator.kube.memory import Memory
from avatar_operator.kube.namespaces import NO_LABELS, NamespaceLabels
from avatar_operator.left_behind.register import LeftBehindRegister
from avatar_operator.model_lifecycle.belief import believed
from avatar_operator.model_lifecycle.inquiries import is_overdue, needs_photos
from avatar_operator.model_lifecycle.notes import AttemptNotes
from avatar_operator.model_lifecycle.observation import (
    ModelObservation,
    attempt_reference,
    is_settled,
    is_submitted,
)
from avatar_operator.model_lifecycle.phases.credentials import renewal_is_due


def remember(memory: Memory[AttemptNotes], uid: str, **changes: Any) -> None:
    """Change what is remembered of a model's attempt.

    Hints come while a pass waits, so what is remembered is read at the moment in which it changes.

    Args:
        memory: where.
        uid: the model's.
        changes: fields of the notes.
    """
    memory.note(uid, replace(memory.of(uid), **changes))


@dataclass
class ModelGathering:
    """Makes observations of AvatarModels.

    Args:
        cache: where runtimes are found.
        backends: who knows photos, obstacles and outcomes.
        clock: what time it is.
        left_behind: what deleted models have asked their runtimes to take over.
        namespaces: labels of namespaces.
        memory: notes on attempts, shared with whoever carries out.
    """

    cache: ObjectCache
    backends: Backends
    clock: Clock
    left_behind: LeftBehindRegister
    namespaces: NamespaceLabels
    memory: Memory[AttemptNotes]

    async def gather(self, body: Object) -> ModelObservation:
        """Everything that a decision about a model depends on, but for its place among its namespace's.

        Raises:
            ValidationError: this version does not understand the model.
            KubeError: the labels of its namespace could not be read.
        """
        recorded = read_object(AvatarModel, body).object
        notes, now = self.memory.of(recorded.metadata.uid), self.clock.now()
        runtime = self._runtime_of(recorded)
        belief = believed(recorded, runtime, now)
        model = recorded.model_copy(update={"status": belief.status})
        training = model.status.training
        observation = ModelObservation(
            now=now,
            model=model,
            recorded=recorded.status if belief.foreign else None,
            foreign=belief.foreign,
            runtime=runtime,
            runtime_is_foreign=runtime_is_foreign(self.cache, model.spec.runtime_ref.name),
            namespace_labels=await self._labels(model, runtime),
            progress=notes.progress,
            planned_here=(
                training is not None
                and training.inference_id is not None
                and training.inference_id == notes.planned_inference_id
            ),
            credentials_due=notes.credentials_due,
            asked_since=(
                None
                if runtime is None
                else self.left_behind.asked_since(runtime.metadata.name, model.metadata.uid)
            ),
        )
        if runtime is None:
            return observation
        if not is_submitted(training) and not is_settled(training):
            observation = replace(observation, obstacle=self._obstacle(runtime, model))
        if renewal_is_due(observation):
            observation = replace(observation, sent=await self._sent(runtime, model))
        # Of another revision's attempt nobody wants to know any more, unless it must have stopped before we let go.
        wanted = training is not None and (
            training.revision == model.spec.revision or model.metadata.deletion_timestamp is not None
        )
        if wanted and is_submitted(training) and (notes.ask_for_outcome or is_overdue(observation)):
            return replace(observation, outcome=await self._outcome(runtime, model))
        if needs_photos(observation):
            return await self._with_photos(observation, runtime)
        return observation

    async def _labels(self, model: AvatarModel, runtime: AvatarRuntime | None) -> Mapping[str, str]:
        if model.metadata.deletion_timestamp is not None:
            return NO_LABELS
        return await self.namespaces.wanted_by(runtime, model.metadata.namespace)

    def _runtime_of(self, model: AvatarModel) -> AvatarRuntime | None:
        name = model.spec.runtime_ref.name
        if model.metadata.deletion_timestamp is None:
            return find_runtime(self.cache, name)
        return find_keeper(self.cache, name, recorded=model.status.storage is not None)

    def _obstacle(self, runtime: AvatarRuntime, model: AvatarModel) -> BackendError | None:
        try:
            return self.backends.of(runtime).compute.training_obstacle(runtime, model)
        except BackendError:
            # A backend that this version does not know is told of by whoever asks it for something.
            return None

    async def _sent(self, runtime: AvatarRuntime, model: AvatarModel) -> TrainingRequest | BackendError:
        training = model.status.training
        assert training is not None
        attempt = attempt_reference(runtime, model, training)
        try:
            return await self.backends.of(runtime).storage.read_request(runtime, attempt)
        except BackendError as error:
            return error

    async def _with_photos(self, observation: ModelObservation, runtime: AvatarRuntime) -> ModelObservation:
        try:
            backend = self.backends.of(runtime)
            photos = await backend.storage.list_photos(runtime, observation.model)
        except BackendError as error:
            return replace(observation, photos=error)
        return replace(
            observation,
            photos=photos,
            progress_destination=backend.compute.progress_destination(runtime),
        )

    async def _outcome(self, runtime: AvatarRuntime, model: AvatarModel) -> AttemptOutcome | BackendError:
        assert model.status.training is not None
        # Only "no news" is an answer to rest on, and only if no hint has come while we asked.
        remember(self.memory, model.metadata.uid, ask_for_outcome=False)
        try:
            backend = self.backends.of(runtime)
            attempt = attempt_reference(runtime, model, model.status.training)
            outcome = await backend.compute.attempt_outcome(runtime, attempt)
            if isinstance(outcome, AttemptSucceeded):
                artifact = outcome.result.artifact
                findings = await backend.storage.examine_artifact(runtime, attempt, artifact)
                outcome = replace(outcome, findings=findings)
            elif isinstance(outcome, AttemptPending) and model.status.training.start_time is None:
                outcome = replace(
                    outcome, started=outcome.started or await backend.storage.claimed_since(runtime, attempt)
                )
        except BackendError as error:
            remember(self.memory, model.metadata.uid, ask_for_outcome=True)
            return error
        if not isinstance(outcome, AttemptPending) or outcome.check_after is not None:
            remember(self.memory, model.metadata.uid, ask_for_outcome=True)
        return outcome
