"""The effects of an AvatarRequest's life: gather what the phases look at, carry out what they ask for."""

from dataclasses import dataclass, field, replace

from avatar_api.avatar_request import AvatarRequest, AvatarRequestStatus
from avatar_api.group import AVATAR_REQUEST
from avatar_operator.backends.compute import Drawn, ModelLoading
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.selection import Backends, backend_name
from avatar_operator.core.clock import Clock
from avatar_operator.core.decision import Notice
from avatar_operator.core.errors import RetryLaterError
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import find_model, find_runtime
from avatar_operator.locations import picture_prefix
from avatar_operator.metrics import OperatorMetrics
from avatar_operator.request_lifecycle.actions import DeletePictures, DrawPictures, RequestDraft
from avatar_operator.request_lifecycle.failure import fail_request
from avatar_operator.request_lifecycle.lifecycle import decide, summarise
from avatar_operator.request_lifecycle.observation import DrawingNotes, RequestObservation
from avatar_operator.request_lifecycle.pictures import wanted_pictures

MAX_DRAWING_FAILURES = 5
LOADING_RETRY_SECONDS = 2.0


@dataclass
class RequestLifecycle:
    """An AvatarRequest's observe and act."""

    cache: ObjectCache
    backends: Backends
    clock: Clock
    metrics: OperatorMetrics
    kind = AVATAR_REQUEST
    _notes: dict[ObjectKey, DrawingNotes] = field(default_factory=dict)

    async def observe(self, body: Object) -> RequestObservation:
        """Gather model and runtime, and what has been drawn where drawing is under way."""
        request = AvatarRequest.model_validate(body)
        model = find_model(self.cache, request.metadata.namespace, request.spec.model_ref.name)
        # A model may be deleted before its requests: the status remembers whose storage holds the pictures.
        runtime_name = request.status.runtime_name if model is None else model.spec.runtime_ref.name
        runtime = None if runtime_name is None else find_runtime(self.cache, runtime_name)
        observation = RequestObservation(
            now=self.clock.now(),
            request=request,
            model=model,
            runtime=runtime,
            notes=self._notes.get(_key(request), DrawingNotes()),
        )
        going = request.metadata.deletion_timestamp is not None
        if request.status.state != "Running" or runtime is None or model is None or going:
            return observation
        prefix, wanted = picture_prefix(runtime, request), wanted_pictures(request)
        try:
            storage = self.backends.of(runtime).storage
            existing = await storage.existing_pictures(runtime, prefix)
            if any(picture.file_name() not in existing for picture in wanted):
                return replace(observation, existing=existing)
            pictures = await storage.describe_pictures(runtime, prefix, wanted)
            return replace(observation, existing=existing, pictures=pictures)
        except BackendError as error:
            return replace(observation, storage_error=error)

    def decide(self, observation: RequestObservation) -> RequestDraft:
        """What to do. Pure."""
        return decide(observation)

    def summarise(self, observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
        """Derive the summary from the details. Pure."""
        return summarise(observation, draft)

    def observed_status(self, observation: RequestObservation) -> AvatarRequestStatus:
        """The status as it was observed."""
        return observation.request.status

    def occasion(self, status: AvatarRequestStatus) -> str:
        """A request runs once: nothing it says is ever news twice."""
        return ""

    def written(self, observation: RequestObservation, status: AvatarRequestStatus) -> None:
        """Measure a request that has just ended."""
        ended = status.state in ("Succeeded", "Failed") and observation.request.status.state != status.state
        created = observation.request.metadata.creation_timestamp
        if ended and created is not None and observation.runtime is not None:
            seconds = (observation.now - created).total_seconds()
            self.metrics.request_ended(backend_name(observation.runtime), str(status.state), seconds)
            self.forget(_key(observation.request))

    def forget(self, key: ObjectKey) -> None:
        """The object is gone, or needs nothing remembered."""
        self._notes.pop(key, None)

    async def act(self, observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
        """Carry out the actions in their order."""
        for action in draft.actions:
            match action:
                case DrawPictures():
                    draft = await self._draw(observation, action, draft)
                case DeletePictures(give_up=give_up):
                    draft = await self._delete(observation, draft, give_up=give_up)
        return draft

    async def _draw(
        self, observation: RequestObservation, action: DrawPictures, draft: RequestDraft
    ) -> RequestDraft:
        assert observation.runtime is not None
        key, now = _key(observation.request), self.clock.now()
        notes = observation.notes
        notes = replace(notes, started=notes.started or now)
        self._notes[key] = notes
        try:
            compute = self.backends.of(observation.runtime).compute
            result = await compute.draw(observation.runtime, action.call)
        except BackendError as error:
            self._notes[key] = replace(notes, failures=notes.failures + 1)
            if error.retryable and notes.failures + 1 < MAX_DRAWING_FAILURES:
                return draft.retry(at_least=error.retry_after or 0.0)
            return fail_request(observation, draft, reason=error.reason, message=error.message)
        match result:
            case ModelLoading():
                self._notes[key] = replace(notes, loading_since=notes.loading_since or now)
                return draft.look_again_in(LOADING_RETRY_SECONDS)
            case Drawn(generate_seconds=seconds):
                elapsed = (self.clock.now() - (notes.loading_since or now)).total_seconds()
                first = notes.generate_seconds == 0.0
                self._notes[key] = replace(
                    notes,
                    failures=0,
                    generate_seconds=notes.generate_seconds + seconds,
                    cold_load_seconds=max(0.0, elapsed - seconds) if first else notes.cold_load_seconds,
                )
                return draft.look_again_in(0)

    async def _delete(
        self, observation: RequestObservation, draft: RequestDraft, *, give_up: bool
    ) -> RequestDraft:
        assert observation.runtime is not None
        try:
            storage = self.backends.of(observation.runtime).storage
            report = await storage.delete_request_data(observation.runtime, observation.request)
            remains = "; ".join(report.left_behind)
        except BackendError as error:
            remains = error.message
        if not remains:
            return draft
        if not give_up:
            raise RetryLaterError(f"not everything could be removed: {remains}", at_least=5.0)
        return draft.tell(
            Notice("Warning", "CleanupIncomplete", f"Not everything could be removed: {remains}")
        )


def _key(request: AvatarRequest) -> ObjectKey:
    return ObjectKey(AVATAR_REQUEST.kind, request.metadata.namespace, request.metadata.name)
