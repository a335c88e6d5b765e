"""Who has to be looked at when something is seen."""

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, KINDS, Kind
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.scheduling import Scheduler
from builders.manifests import Manifest, merged, model_manifest, request_manifest, runtime_manifest
from builders.world import MODEL_KEY, REQUEST_KEY, RUNTIME_KEY


def _body(manifest: Manifest, version: int = 1) -> Object:
    uid = f"uid-of-{manifest['kind']}"
    return merged(manifest, {"metadata": {"uid": uid, "resourceVersion": str(version)}})


class Desk:
    """A scheduler with a runtime, a model and a request known and everything looked at."""

    def __init__(self) -> None:
        self.cache = ObjectCache()
        self.queues: dict[Kind, WorkQueue[ObjectKey]] = {kind: WorkQueue() for kind in KINDS}
        self.scheduler = Scheduler(self.cache, self.queues)

    async def with_everything(self) -> "Desk":
        """Runtime, model and request are known; nothing waits."""
        self.scheduler.seen(AVATAR_RUNTIME, _body(runtime_manifest()), deleted=False)
        self.scheduler.seen(AVATAR_MODEL, _body(model_manifest()), deleted=False)
        self.scheduler.seen(AVATAR_REQUEST, _body(request_manifest()), deleted=False)
        await self.waiting()
        return self

    async def waiting(self) -> set[ObjectKey]:
        """The keys that wait, taken out."""
        keys = set()
        for queue in self.queues.values():
            while len(queue):
                key = await queue.get()
                queue.done(key)
                keys.add(key)
        return keys


async def test_a_new_object_is_looked_at() -> None:
    desk = Desk()

    desk.scheduler.seen(AVATAR_MODEL, _body(model_manifest()), deleted=False)

    assert await desk.waiting() == {MODEL_KEY}


async def test_what_is_known_already_is_not_looked_at_again() -> None:
    desk = await Desk().with_everything()

    desk.scheduler.seen(AVATAR_MODEL, _body(model_manifest()), deleted=False)

    assert await desk.waiting() == set()


async def test_a_change_of_a_runtime_brings_its_models_back() -> None:
    desk = await Desk().with_everything()

    desk.scheduler.seen(AVATAR_RUNTIME, _body(runtime_manifest(), 2), deleted=False)

    assert await desk.waiting() == {RUNTIME_KEY, MODEL_KEY}


async def test_a_change_of_a_model_brings_its_requests_back() -> None:
    desk = await Desk().with_everything()

    desk.scheduler.seen(AVATAR_MODEL, _body(model_manifest(), 2), deleted=False)

    assert await desk.waiting() == {MODEL_KEY, REQUEST_KEY}


async def test_a_change_of_a_request_brings_nobody_back() -> None:
    desk = await Desk().with_everything()

    desk.scheduler.seen(AVATAR_REQUEST, _body(request_manifest(), 2), deleted=False)

    assert await desk.waiting() == {REQUEST_KEY}


async def test_a_deleted_model_brings_back_its_requests_and_the_runtime_that_may_wait_for_it() -> None:
    desk = await Desk().with_everything()

    desk.scheduler.seen(AVATAR_MODEL, _body(model_manifest(), 2), deleted=True)

    assert await desk.waiting() == {MODEL_KEY, REQUEST_KEY, RUNTIME_KEY}


async def test_a_model_that_our_own_write_let_go_counts_as_deleted() -> None:
    desk = await Desk().with_everything()

    desk.cache.remove(AVATAR_MODEL, MODEL_KEY, "uid-of-AvatarModel")

    assert await desk.waiting() == {MODEL_KEY, REQUEST_KEY, RUNTIME_KEY}
