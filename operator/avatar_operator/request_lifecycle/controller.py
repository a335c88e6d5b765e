"""The effects of an AvatarRequest's life: gather what the phases look at, carry out what they ask for."""

from dataclasses import dataclass, field, replace
from typing import assert_never

from avatar_api.avatar_request import AvatarRequest, AvatarRequestStatus
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST
from avatar_api.reading import read_object
from avatar_api.runtime_limits import InferenceLimits
from avatar_operator.backends.compute import DrawCall, Drawn, ModelLoading
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.selection import Backends, backend_name
from avatar_operator.core.clock import Clock
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import find_model, find_runtime, find_runtimes
from avatar_operator.locations import picture_prefix
from avatar_operator.left_behind import LeftBehindRegister, left_by_request
from avatar_operator.metrics import OperatorMetrics
from avatar_operator.request_lifecycle.actions import (
    DeletePictures,
    DrawingAnswered,
    DrawPictures,
    LeftBehindHandedOver,
    PicturesDeleted,
    RecordLeftBehind,
    RequestAction,
    RequestDraft,
    RequestFact,
)
from avatar_operator.request_lifecycle.conditions import is_drawing, is_finished
from avatar_operator.request_lifecycle.lifecycle import decide, fold, state_of, summarise
from avatar_operator.request_lifecycle.observation import DrawingNotes, RequestObservation
from avatar_operator.request_lifecycle.pictures import wanted_pictures
from avatar_operator.tenancy import namespace_allowed


@dataclass
class RequestLifecycle:
    """An AvatarRequest's observe and act."""

    cache: ObjectCache
    backends: Backends
    clock: Clock
    metrics: OperatorMetrics
    left_behind: LeftBehindRegister
    kind = AVATAR_REQUEST
    _notes: dict[ObjectKey, DrawingNotes] = field(default_factory=dict)

    async def observe(self, body: Object) -> RequestObservation:
        """Gather model and runtime, and what has been drawn where drawing is under way."""
        request = read_object(AvatarRequest, body).object
        going = request.metadata.deletion_timestamp is not None
        namespace, name = request.metadata.namespace, request.spec.model_ref.name
        model = find_model(self.cache, namespace, name)
        # Whoever has begun goes on with the runtime that it began with; a model may also go before its requests.
        runtime_name = request.status.runtime_name
        if runtime_name is None and model is not None:
            runtime_name = model.spec.runtime_ref.name
        runtime = None if runtime_name is None else find_runtime(self.cache, runtime_name, for_deletion=going)
        observation = RequestObservation(
            now=self.clock.now(),
            request=request,
            model=model,
            runtime=runtime,
            model_names=() if model is not None else self._names(namespace),
            queue_limit_seconds=self._queue_limit(runtime, namespace),
            notes=self._notes.get(_key(request), DrawingNotes()),
        )
        if runtime is None or going or not is_drawing(request.status):
            return observation
        return await self._with_pictures(runtime, observation)

    async def _with_pictures(
        self, runtime: AvatarRuntime, observation: RequestObservation
    ) -> RequestObservation:
        prefix = picture_prefix(runtime, observation.request)
        wanted = wanted_pictures(observation.request)
        try:
            storage = self.backends.of(runtime).storage
            existing = await storage.existing_pictures(runtime, prefix)
            if any(picture.file_name() not in existing for picture in wanted):
                return replace(observation, existing=existing)
            pictures = await storage.describe_pictures(runtime, prefix, wanted)
            return replace(observation, existing=existing, pictures=pictures)
        except BackendError as error:
            return replace(observation, storage_error=error)

    def _names(self, namespace: str) -> tuple[str, ...]:
        return tuple(sorted(key.name for key in self.cache.keys(AVATAR_MODEL) if key.namespace == namespace))

    def _queue_limit(self, runtime: AvatarRuntime | None, namespace: str) -> int:
        if runtime is not None:
            return runtime.spec.limits.inference.queue_deadline_seconds
        admitting = [
            runtime.spec.limits.inference.queue_deadline_seconds
            for runtime in find_runtimes(self.cache)
            if namespace_allowed(runtime, namespace)
        ]
        return max(admitting, default=InferenceLimits().queue_deadline_seconds)

    def decide(self, observation: RequestObservation) -> RequestDraft:
        """What to do. Pure."""
        return decide(observation)

    def summarise(self, observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
        """Derive the summary from the details. Pure."""
        return summarise(observation, draft)

    def observed_status(self, observation: RequestObservation) -> AvatarRequestStatus:
        """The status as it was observed."""
        return observation.request.status

    def log_fields(self, status: AvatarRequestStatus) -> dict[str, object]:
        """What is drawn with."""
        if status.model is None:
            return {}
        return {"model_uid": status.model.uid, "revision": status.model.revision}

    def written(self, observation: RequestObservation, status: AvatarRequestStatus) -> None:
        """Measure a request that has just ended."""
        ended = is_finished(status) and not is_finished(observation.request.status)
        created = observation.request.metadata.creation_timestamp
        if ended and created is not None and observation.runtime is not None:
            seconds = (observation.now - created).total_seconds()
            outcome = state_of(status, deleting=False)
            self.metrics.request_ended(backend_name(observation.runtime), outcome, seconds)
            self.forget(_key(observation.request))

    def forget(self, key: ObjectKey) -> None:
        """The object is gone, or needs nothing remembered."""
        self._notes.pop(key, None)

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
                return PicturesDeleted(await storage.delete_request_data(runtime, observation.request))
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
        key, began, notes = _key(observation.request), self.clock.now(), observation.notes
        try:
            result = await self.backends.of(runtime).compute.draw(runtime, call)
        except BackendError as error:
            self._notes[key] = replace(notes, trouble=error.as_retry())
            raise
        match result:
            case ModelLoading():
                self._notes[key] = replace(notes, loading_since=notes.loading_since or began, trouble=None)
            case Drawn(generate_seconds=seconds):
                elapsed = (self.clock.now() - (notes.loading_since or began)).total_seconds()
                first = notes.generate_seconds == 0.0
                self._notes[key] = replace(
                    notes,
                    trouble=None,
                    generate_seconds=notes.generate_seconds + seconds,
                    cold_load_seconds=max(0.0, elapsed - seconds) if first else notes.cold_load_seconds,
                )
        return DrawingAnswered(result)


def _key(request: AvatarRequest) -> ObjectKey:
    return ObjectKey(AVATAR_REQUEST.kind, request.metadata.namespace, request.metadata.name)
