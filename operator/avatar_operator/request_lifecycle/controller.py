"""The effects of an AvatarRequest's life: gather what the phases look at, carry out what they ask for."""

from dataclasses import dataclass, replace
from typing import assert_never

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, AvatarRequestStatus
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST
from avatar_api.reading import read_object
from avatar_api.runtime_limits import InferenceLimits
from avatar_operator.backends.compute import DrawCall, Drawn, ModelLoading
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.selection import Backends, backend_name
from avatar_operator.core.clock import Clock
from avatar_operator.costs import drawing_cost
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import (
    find_keeper,
    find_model,
    find_runtime,
    find_runtimes,
    runtime_is_foreign,
)
from avatar_operator.kube.memory import Memory
from avatar_operator.kube.namespaces import NO_LABELS, NamespaceLabels
from avatar_operator.left_behind.actions import (
    DataDeleted,
    LeftBehindHandedOver,
    MarkedRetained,
    MarkRetained,
    RecordLeftBehind,
    UnmarkedRetained,
    UnmarkRetained,
)
from avatar_operator.left_behind.entries import left_by_request
from avatar_operator.left_behind.register import LeftBehindRegister
from avatar_operator.locations import drawing_prefix, picture_directory
from avatar_operator.quotas import NamespaceQuotas
from avatar_operator.request_lifecycle.actions import (
    DeletePictures,
    DrawingAnswered,
    DrawPictures,
    LookForPictures,
    PicturesLookedFor,
    RequestAction,
    RequestDraft,
    RequestFact,
)
from avatar_operator.request_lifecycle.belief import believed
from avatar_operator.request_lifecycle.conditions import is_drawing, is_finished
from avatar_operator.request_lifecycle.inquiries import needs_place
from avatar_operator.request_lifecycle.lifecycle import decide, fold, state_of, summarise
from avatar_operator.request_lifecycle.notes import DrawingNotes
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.request_lifecycle.phases.acceptance import refusal
from avatar_operator.request_lifecycle.phases.resolution import loss_of
from avatar_operator.request_lifecycle.pictures import wanted_pictures
from avatar_operator.telemetry.metrics import OperatorMetrics
from avatar_operator.tenancy import namespace_allowed

QUEUE_LIMIT = InferenceLimits().queue_deadline_seconds
"""Where no runtime says anything else."""


@dataclass
class RequestLifecycle:
    """An AvatarRequest's observe and act."""

    cache: ObjectCache
    backends: Backends
    clock: Clock
    metrics: OperatorMetrics
    left_behind: LeftBehindRegister
    namespaces: NamespaceLabels
    quotas: NamespaceQuotas
    kind = AVATAR_REQUEST

    def __post_init__(self) -> None:
        self._memory: Memory[DrawingNotes] = Memory(self.cache, DrawingNotes())

    async def observe(self, body: Object) -> RequestObservation:
        """Gather model and runtime, and what has been drawn where drawing is under way; then ask for a place."""
        with self.quotas.standing_back_on_failure(body):
            observation = await self._gather(body)
            has_place = self.quotas.judge(body, observation.runtime, lambda: needs_place(observation))
        return replace(observation, has_place=has_place)

    async def _gather(self, body: Object) -> RequestObservation:
        recorded, now = read_object(AvatarRequest, body).object, self.clock.now()
        going = recorded.metadata.deletion_timestamp is not None
        namespace, name = recorded.metadata.namespace, recorded.spec.model_ref.name
        # Whoever goes needs no model, least of all one that this version does not understand.
        model = None if going else find_model(self.cache, namespace, name)
        belief = believed(recorded, model, now)
        request = recorded.model_copy(update={"status": belief.status})
        runtime = self._runtime_of(request, model)
        observation = RequestObservation(
            now=now,
            request=request,
            recorded=recorded.status if belief.foreign else None,
            foreign=belief.foreign,
            model=model,
            runtime=runtime,
            runtime_is_foreign=runtime_is_foreign(self.cache, _runtime_name(request, model)),
            model_names=() if going or model is not None else self._names(namespace),
            namespace_labels=NO_LABELS if going else await self.namespaces.wanted_by(runtime, namespace),
            queue_limit_seconds=QUEUE_LIMIT if going else await self._queue_limit(runtime, namespace),
            notes=self._memory.of(request.metadata.uid),
            asked_since=(
                None
                if runtime is None
                else self.left_behind.asked_since(runtime.metadata.name, request.metadata.uid)
            ),
        )
        if runtime is None or going:
            return observation
        observation = replace(observation, obstacle=self._obstacle(runtime, request))
        if observation.obstacle is not None or not is_drawing(request.status):
            return observation
        # Whoever may not draw may not make us look into a bucket either.
        if loss_of(observation) or refusal(runtime, request, observation.namespace_labels):
            return observation
        return await self._with_pictures(runtime, observation)

    def _obstacle(self, runtime: AvatarRuntime, request: AvatarRequest) -> BackendError | None:
        try:
            return self.backends.of(runtime).compute.drawing_obstacle(runtime, request)
        except BackendError:
            # A backend that this version does not know is told of by whoever asks it for something.
            return None

    def _runtime_of(self, request: AvatarRequest, model: AvatarModel | None) -> AvatarRuntime | None:
        # Whoever has begun goes on with the runtime that it began with; a model may also go before its requests.
        name = _runtime_name(request, model)
        if request.metadata.deletion_timestamp is not None:
            return find_keeper(self.cache, name, recorded=request.status.storage_prefix is not None)
        return find_runtime(self.cache, name) if name else None

    async def _with_pictures(
        self, runtime: AvatarRuntime, observation: RequestObservation
    ) -> RequestObservation:
        prefix = drawing_prefix(runtime, observation.request)
        wanted = wanted_pictures(observation.request)
        try:
            storage = self.backends.of(runtime).storage
            existing = await storage.existing_pictures(runtime, prefix)
            if any(picture.file_name() not in existing for picture in wanted):
                assert observation.request.status.model is not None
                await storage.check_artifact(runtime, observation.request.status.model)
                return replace(observation, existing=existing)
            pictures = await storage.describe_pictures(runtime, prefix, wanted)
            return replace(observation, existing=existing, pictures=pictures)
        except BackendError as error:
            return replace(observation, storage_error=error)

    def _names(self, namespace: str) -> tuple[str, ...]:
        return tuple(sorted(key.name for key in self.cache.keys(AVATAR_MODEL) if key.namespace == namespace))

    async def _queue_limit(self, runtime: AvatarRuntime | None, namespace: str) -> int:
        if runtime is not None:
            return runtime.spec.limits.inference.queue_deadline_seconds
        admitting = [
            runtime.spec.limits.inference.queue_deadline_seconds
            for runtime in find_runtimes(self.cache)
            if namespace_allowed(runtime, namespace, await self.namespaces.wanted_by(runtime, namespace))
        ]
        return max(admitting, default=QUEUE_LIMIT)

    def decide(self, observation: RequestObservation) -> RequestDraft:
        """What to do. Pure."""
        return decide(observation)

    def summarise(self, observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
        """Derive the summary from the details. Pure."""
        return summarise(observation, draft)

    def observed_status(self, observation: RequestObservation) -> AvatarRequestStatus:
        """The status as it was observed."""
        return observation.recorded or observation.request.status

    def log_fields(self, status: AvatarRequestStatus) -> dict[str, object]:
        """What is drawn with."""
        if status.model is None:
            return {}
        return {"model_uid": status.model.uid, "revision": status.model.revision}

    def written(self, observation: RequestObservation, status: AvatarRequestStatus) -> None:
        """Note that a request which has just been given its artifact has not called anybody. Measure one that ended."""
        request, runtime = observation.request, observation.runtime
        if request.status.model is None and is_drawing(status):
            self._remember(request, DrawingNotes(all_answered=True))
        self.metrics.failed(
            self.kind, request.metadata.namespace, request.status.last_failure, status.last_failure
        )
        created = request.metadata.creation_timestamp
        if not is_finished(status) or is_finished(request.status) or created is None or runtime is None:
            return
        seconds = (observation.now - created).total_seconds()
        self.metrics.request_ended(backend_name(runtime), state_of(status, deleting=False), seconds)
        self._remember(request, DrawingNotes(all_answered=observation.notes.all_answered))

    async def perform(self, observation: RequestObservation, action: RequestAction) -> RequestFact:
        """Carry out one action.

        Raises:
            BackendError: it failed.
        """
        runtime = observation.runtime
        assert runtime is not None
        match action:
            case DrawPictures(call=call):
                return await self._draw(observation, runtime, call)
            case DeletePictures():
                storage = self.backends.of(runtime).storage
                return DataDeleted(await storage.delete_request_data(runtime, observation.request))
            case LookForPictures():
                storage = self.backends.of(runtime).storage
                found = await storage.holds_request_data(runtime, observation.request)
                self._remember(observation.request, replace(observation.notes, holds_pictures=found))
                return PicturesLookedFor(found)
            case MarkRetained():
                directory = picture_directory(runtime, observation.request)
                await self.backends.of(runtime).storage.mark_retained(runtime, directory)
                return MarkedRetained()
            case UnmarkRetained():
                directory = picture_directory(runtime, observation.request)
                await self.backends.of(runtime).storage.unmark_retained(runtime, directory)
                return UnmarkedRetained()
            case RecordLeftBehind(remains=remains):
                entry = left_by_request(runtime, observation.request, observation.now)
                self.left_behind.hand_over(runtime.metadata.name, entry)
                return LeftBehindHandedOver(remains)
            case _:
                assert_never(action)

    def fold(self, observation: RequestObservation, draft: RequestDraft, fact: RequestFact) -> RequestDraft:
        """The draft with what an action learned. Pure."""
        return fold(observation, draft, fact)

    async def _draw(
        self, observation: RequestObservation, runtime: AvatarRuntime, call: DrawCall
    ) -> DrawingAnswered:
        request, began, notes = observation.request, self.clock.now(), observation.notes
        # Nobody knows until the answer is here, and who is asked meanwhile must not be told otherwise.
        self._remember(request, replace(notes, all_answered=False))
        try:
            result = await self.backends.of(runtime).compute.draw(runtime, call)
        except BackendError as error:
            answered = notes.all_answered and not error.retryable
            self._remember(request, replace(notes, trouble=error.as_retry(), all_answered=answered))
            raise
        match result:
            case ModelLoading():
                since = notes.loading_since or began
                self._remember(request, replace(notes, loading_since=since, trouble=None))
            case Drawn(generate_seconds=claimed):
                now = self.clock.now()
                # What a worker says that it took, as far as the call took as long: it goes into costs.
                seconds = min(claimed, max(0.0, (now - began).total_seconds()))
                elapsed = (now - (notes.loading_since or began)).total_seconds()
                cold_load = notes.cold_load_seconds if notes.drawn else max(0.0, elapsed - seconds)
                drawn = replace(
                    notes,
                    trouble=None,
                    generate_seconds=notes.generate_seconds + seconds,
                    cold_load_seconds=cold_load,
                    drawn=notes.drawn | {picture.file_name() for picture in call.pictures},
                )
                self._remember(request, drawn)
                self._count(runtime, request, seconds, len(call.pictures))
        return DrawingAnswered(result)

    def _count(self, runtime: AvatarRuntime, request: AvatarRequest, seconds: float, pictures: int) -> None:
        backend, namespace = backend_name(runtime), request.metadata.namespace
        self.metrics.costs.worked(backend, self.kind, namespace, seconds, drawing_cost(runtime, seconds))
        self.metrics.costs.drew(backend, namespace, pictures)

    def _remember(self, request: AvatarRequest, notes: DrawingNotes) -> None:
        self._memory.note(request.metadata.uid, notes)


def _runtime_name(request: AvatarRequest, model: AvatarModel | None) -> str:
    if request.status.runtime_name is not None or model is None:
        return request.status.runtime_name or ""
    return model.spec.runtime_ref.name
