"""Who has to be looked at when something is seen."""

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, KINDS, Kind
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.reconciling.scheduling import Scheduler
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
        self.asked: list[ObjectKey] = []
        self.scheduler = Scheduler(self.cache, self.queues, self.asked.append)

    async def with_everything(self) -> "Desk":
        """Runtime, model and request are known; nothing waits."""
        self.scheduler.begin()
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
    desk.scheduler.begin()

    desk.scheduler.seen(AVATAR_MODEL, _body(model_manifest()), deleted=False)

    assert await desk.waiting() == {MODEL_KEY}


async def test_what_is_known_already_is_not_looked_at_again() -> None:
    desk = await Desk().with_everything()

    desk.scheduler.seen(AVATAR_MODEL, _body(model_manifest()), deleted=False)

    assert await desk.waiting() == set()


async def test_a_change_of_a_runtime_brings_its_models_back_and_the_requests_that_draw_with_them() -> None:
    desk = await Desk().with_everything()

    desk.scheduler.seen(AVATAR_RUNTIME, _body(runtime_manifest(), 2), deleted=False)

    assert await desk.waiting() == {RUNTIME_KEY, MODEL_KEY, REQUEST_KEY}


async def test_a_runtime_that_is_created_anew_brings_back_the_requests_that_wait_for_it() -> None:
    desk = await Desk().with_everything()
    desk.scheduler.seen(AVATAR_RUNTIME, _body(runtime_manifest(), 2), deleted=True)
    await desk.waiting()

    desk.scheduler.seen(AVATAR_RUNTIME, _body(runtime_manifest(), 3), deleted=False)

    assert REQUEST_KEY in await desk.waiting()


async def test_our_own_write_of_a_runtime_brings_back_the_requests_that_wait_for_it() -> None:
    desk = await Desk().with_everything()

    desk.cache.store(AVATAR_RUNTIME, _body(runtime_manifest(), 2), own_write=True)

    assert await desk.waiting() == {MODEL_KEY, REQUEST_KEY}


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


async def test_a_deleted_request_brings_back_the_runtime_that_may_wait_for_it() -> None:
    desk = await Desk().with_everything()
    drawn = merged(request_manifest(), {"status": {"runtimeName": "standard"}})
    desk.scheduler.seen(AVATAR_REQUEST, _body(drawn, 2), deleted=False)
    await desk.waiting()

    desk.scheduler.seen(AVATAR_REQUEST, _body(drawn, 3), deleted=True)

    assert await desk.waiting() == {REQUEST_KEY, RUNTIME_KEY}


async def test_a_model_that_our_own_write_let_go_counts_as_deleted() -> None:
    desk = await Desk().with_everything()

    desk.cache.remove(AVATAR_MODEL, MODEL_KEY, "uid-of-AvatarModel")

    assert await desk.waiting() == {MODEL_KEY, REQUEST_KEY, RUNTIME_KEY}


async def test_a_replica_that_stands_by_queues_nothing() -> None:
    desk = Desk()

    desk.scheduler.seen(AVATAR_MODEL, _body(model_manifest()), deleted=False)
    desk.scheduler.inquire(MODEL_KEY)

    assert await desk.waiting() == set()
    assert desk.asked == []


async def test_a_replica_that_comes_to_lead_looks_at_everything_it_knows() -> None:
    desk = Desk()
    desk.scheduler.seen(AVATAR_RUNTIME, _body(runtime_manifest()), deleted=False)
    desk.scheduler.seen(AVATAR_MODEL, _body(model_manifest()), deleted=False)

    desk.scheduler.begin()

    assert await desk.waiting() == {RUNTIME_KEY, MODEL_KEY}


async def test_our_own_write_brings_back_those_that_depend_on_the_object_and_not_the_object() -> None:
    desk = await Desk().with_everything()

    desk.cache.store(AVATAR_MODEL, _body(model_manifest(), 2), own_write=True)

    assert await desk.waiting() == {REQUEST_KEY}


async def test_a_write_of_somebody_else_brings_the_object_back_although_it_backs_off() -> None:
    desk = await Desk().with_everything()
    desk.queues[AVATAR_MODEL].add_backed_off(MODEL_KEY, at_least=3600)

    desk.scheduler.seen(AVATAR_MODEL, _body(model_manifest(), 2), deleted=False)

    assert MODEL_KEY in await desk.waiting()


def _asked_for(version: int, requested_at: str) -> Object:
    annotations = {"avatars.dev/reconcile-requested-at": requested_at}
    return merged(_body(model_manifest(), version), {"metadata": {"annotations": annotations}})


async def test_who_asks_for_a_look_gets_one_as_if_nothing_had_failed_before() -> None:
    desk = await Desk().with_everything()
    desk.queues[AVATAR_MODEL].add_backed_off(MODEL_KEY)

    desk.scheduler.seen(AVATAR_MODEL, _asked_for(2, "noon"), deleted=False)

    assert MODEL_KEY in await desk.waiting()
    assert desk.queues[AVATAR_MODEL].failures(MODEL_KEY) == 0
    assert desk.asked == [MODEL_KEY]


async def test_a_request_for_a_look_is_heeded_once() -> None:
    desk = await Desk().with_everything()
    desk.scheduler.seen(AVATAR_MODEL, _asked_for(2, "noon"), deleted=False)
    desk.queues[AVATAR_MODEL].add_backed_off(MODEL_KEY)

    desk.scheduler.seen(AVATAR_MODEL, _asked_for(3, "noon"), deleted=False)

    assert desk.queues[AVATAR_MODEL].failures(MODEL_KEY) == 1
    assert desk.asked == [MODEL_KEY]
