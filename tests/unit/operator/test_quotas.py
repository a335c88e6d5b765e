"""Quotas of namespaces, through the whole operator: what is beyond them waits, and goes on as soon as there is room."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.model_lifecycle import controller
from avatar_operator.model_lifecycle.inquiries import needs_place
from avatar_operator.model_lifecycle.observation import ModelObservation
from avatar_operator.quotas import model_quotas, request_quotas
from builders.manifests import model_manifest, request_manifest
from builders.quota_watch import DRAW_SECONDS, TRAINING_SECONDS, QuotaWatch, quotas_watched
from builders.whole_operator import in_virtual_time, now, until

FIVE = ("e", "d", "c", "b", "a")
"""In the order of their creation, which is not that of their names."""
A_MOMENT = 1.5
"""Much less than a sweep: nothing here is found by looking around."""
Story = Callable[[QuotaWatch], Coroutine[Any, Any, None]]


def told(story: Story, *, replicas: int = 1, **quotas: int) -> None:
    """Tell a story of quotas, in which there was never one too many."""

    async def around() -> None:
        async with quotas_watched(replicas=replicas, **quotas) as watch:
            await story(watch)
            assert watch.too_many == []

    in_virtual_time(around())


def test_trainings_beyond_the_quota_wait_and_the_oldest_begins_as_soon_as_one_ends() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train(*FIVE)
        await asyncio.sleep(A_MOMENT)
        assert watch.waves() == [{"e", "d"}]
        assert watch.waiting(AVATAR_MODEL) == ["c", "b", "a"]

        seconds = await watch.until_state(AVATAR_MODEL, "Ready", *FIVE)

        assert watch.waves() == [{"e", "d"}, {"c", "b"}, {"a"}]
        assert seconds < 3 * TRAINING_SECONDS + 3 * A_MOMENT

    told(story, maxRunningTrainings=2)


def test_one_that_waits_says_so_and_what_for_and_is_written_once() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train("first")
        await asyncio.sleep(A_MOMENT)
        watch.train("second")
        await asyncio.sleep(A_MOMENT)
        writes = watch.around.kube.writes.copy()
        body = watch.around.kube.read(AVATAR_MODEL, "second")
        conditions = {one["type"]: one for one in body["status"]["conditions"]}
        await asyncio.sleep(TRAINING_SECONDS / 2)

        assert body["status"]["state"] == "Pending"
        assert conditions["Accepted"]["status"] == "True"
        assert conditions["Reconciling"]["status"] == "True"
        assert conditions["Stalled"]["status"] == "False"
        for condition in ("Trained", "Ready"):
            assert (conditions[condition]["status"], conditions[condition]["reason"]) == (
                "False",
                "WaitingForQuota",
            )
        assert conditions["Trained"]["message"] == (
            "Namespace team-a has as many trainings (quotas.maxRunningTrainings) at a time as AvatarRuntime standard"
            " lets one have: 1. This one begins when there is room, the oldest first."
        )
        assert "lastFailure" not in body["status"]
        assert watch.around.kube.writes == writes

    told(story, maxRunningTrainings=1)


def test_the_quota_of_one_namespace_is_not_anothers() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train(*FIVE)
        watch.train("f", namespace="team-b")
        await asyncio.sleep(A_MOMENT)

        assert watch.waves() == [{"e", "f"}]

    told(story, maxRunningTrainings=1)


def test_without_a_quota_everything_begins() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train(*FIVE)
        await asyncio.sleep(A_MOMENT)

        assert watch.waves() == [set(FIVE)]

    told(story)


def test_a_raised_quota_lets_the_oldest_begin_at_once() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train(*FIVE)
        await asyncio.sleep(A_MOMENT)
        watch.set_quotas(maxRunningTrainings=3)
        await asyncio.sleep(A_MOMENT)
        assert watch.waves() == [{"e"}, {"d", "c"}]
        watch.set_quotas(maxRunningTrainings=None)
        await asyncio.sleep(A_MOMENT)
        assert watch.waves() == [{"e"}, {"d", "c"}, {"b", "a"}]

    told(story, maxRunningTrainings=1)


def test_a_quota_that_is_lowered_below_what_runs_ends_nothing_and_begins_nothing() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train("a", "b", "c")
        await asyncio.sleep(A_MOMENT)
        watch.set_quotas(maxRunningTrainings=1)
        watch.train("d", "e")
        await asyncio.sleep(TRAINING_SECONDS / 2)
        assert watch.at_work(AVATAR_MODEL) == 3
        await watch.until_state(AVATAR_MODEL, "Ready", "a", "b", "c", within=TRAINING_SECONDS)
        await asyncio.sleep(A_MOMENT)
        assert watch.waves() == [{"a", "b", "c"}, {"d"}]
        await watch.until_state(AVATAR_MODEL, "Ready", "d", "e")

    told(story, maxRunningTrainings=3)


@pytest.mark.parametrize("change", ["suspended", "deleted", "refused", "not understood"])
def test_one_that_cannot_begin_holds_up_nobody_behind_it(change: str) -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train("first", "cannot", "behind")
        await asyncio.sleep(A_MOMENT)
        assert watch.waiting(AVATAR_MODEL) == ["cannot", "behind"]
        match change:
            case "suspended":
                watch.around.kube.edit(AVATAR_MODEL, "cannot", {"suspend": True})
            case "deleted":
                watch.around.kube.delete_as_user(AVATAR_MODEL, "cannot")
            case "not understood":
                watch.around.kube.edit(AVATAR_MODEL, "cannot", {"deletionPolicy": "Shred"})
            case "refused":
                watch.around.kube.edit(AVATAR_MODEL, "cannot", {"photos": {"s3Prefix": "s3://elsewhere/"}})
        await watch.until_state(AVATAR_MODEL, "Ready", "first", "behind")
        assert watch.waves() == [{"first"}, {"behind"}]
        if change == "suspended":
            watch.around.kube.edit(AVATAR_MODEL, "cannot", {"suspend": False})
            await watch.until_state(AVATAR_MODEL, "Ready", "cannot")

    told(story, maxRunningTrainings=1)


def test_one_that_a_defect_breaks_off_holds_up_nobody_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_for_the_first(observation: ModelObservation) -> bool:
        if observation.model.metadata.name == "first":
            raise ArithmeticError
        return needs_place(observation)

    monkeypatch.setattr(controller, "needs_place", broken_for_the_first)

    async def story(watch: QuotaWatch) -> None:
        watch.train("first", "second")
        await until(lambda: watch.waves() == [{"second"}], within=A_MOMENT)

    told(story, maxRunningTrainings=1)


def test_a_model_that_goes_makes_room_when_it_is_gone() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train("first", "second")
        await asyncio.sleep(A_MOMENT)
        watch.around.kube.delete_as_user(AVATAR_MODEL, "first")
        await watch.until_state(AVATAR_MODEL, "Ready", "second", within=TRAINING_SECONDS + 3 * A_MOMENT)

    told(story, maxRunningTrainings=1)


def test_a_model_that_was_taken_away_by_force_makes_room() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train("first", "second")
        await asyncio.sleep(A_MOMENT)
        watch.around.kube.remove_by_force(AVATAR_MODEL, "first")
        await asyncio.sleep(A_MOMENT)
        assert watch.waves() == [{"first"}, {"second"}]

    told(story, maxRunningTrainings=1)


def test_an_attempt_that_fails_makes_room_and_its_model_waits_for_its_next_one() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.around.kube.edit(
            AVATAR_RUNTIME, "standard", {"backend": {"simulated": {"failurePercent": 100}}}
        )
        watch.train("first", "second")
        await asyncio.sleep(A_MOMENT)
        await until(lambda: watch.waves() == [{"first"}, {"second"}], within=TRAINING_SECONDS + A_MOMENT)
        # Thirty seconds after its failure it may try again, and the other one's twenty are over by then.
        await until(lambda: watch.waves() == [{"first"}, {"second"}, {"first"}], within=60)

    told(story, maxRunningTrainings=1)


def test_raising_the_revision_of_what_runs_keeps_its_place() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train("first", "second")
        await asyncio.sleep(A_MOMENT)
        watch.around.kube.edit(AVATAR_MODEL, "first", {"revision": 2})
        await asyncio.sleep(A_MOMENT)
        training = watch.around.kube.read(AVATAR_MODEL, "first")["status"]["training"]
        assert (training["revision"], training["attempt"]) == (2, 1)
        assert watch.waiting(AVATAR_MODEL) == ["second"]

    told(story, maxRunningTrainings=1)


def test_an_attempt_whose_answer_was_lost_is_followed_by_the_next_one_in_its_place() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.compute.loses_next_answer = True
        watch.train("first", "second")
        await asyncio.sleep(A_MOMENT)
        assert [name for name, _ in watch.begun] == ["first", "first"]
        training = watch.around.kube.read(AVATAR_MODEL, "first")["status"]["training"]
        assert (training["attempt"], training["abandoned"]) == (2, 1)
        await watch.until_state(AVATAR_MODEL, "Ready", "first", "second")

    told(story, maxRunningTrainings=1)


def test_while_the_runtime_is_not_ready_nobody_loses_his_place_in_the_line() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train(*FIVE)
        await asyncio.sleep(A_MOMENT)
        # For a moment nothing is served that the spec says, and everybody is looked at in no particular order.
        watch.around.kube.edit(AVATAR_RUNTIME, "standard", {"baseModel": {"revision": "next"}})
        await watch.until_state(AVATAR_MODEL, "Ready", *FIVE)

        assert watch.waves() == [{name} for name in FIVE]

    told(story, maxRunningTrainings=1)


def test_whoever_leads_next_counts_what_runs_and_serves_the_oldest_first() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.train(*FIVE)
        await asyncio.sleep(A_MOMENT)
        await watch.leader_dies()
        assert watch.waves() == [{"e", "d"}]
        await watch.until_state(AVATAR_MODEL, "Ready", *FIVE)

        assert watch.waves() == [{"e", "d"}, {"c", "b"}, {"a"}]

    told(story, replicas=2, maxRunningTrainings=2)


def test_models_that_nobody_has_looked_at_begin_in_the_order_of_their_creation() -> None:
    async def story(watch: QuotaWatch) -> None:
        watch.around.kube.go_away()
        for name in reversed(FIVE):
            # The last one to be listed is the oldest.
            watch.around.clock.off_by -= 2
            watch.train(name)
        watch.around.kube.come_back()
        await watch.until_state(AVATAR_MODEL, "Ready", *FIVE)

        assert watch.waves() == [{name} for name in FIVE]

    told(story, maxRunningTrainings=1)


def test_a_place_that_was_given_and_could_not_be_written_down_is_not_lost() -> None:
    async def story(watch: QuotaWatch) -> None:
        for _ in range(3):
            watch.around.kube.fail_next("apply_status")
            watch.around.kube.lose_next_answer("apply_status")
        watch.train("a", "b", "c", "d")
        await watch.until_state(AVATAR_MODEL, "Ready", "a", "b", "c", "d")

    told(story, maxRunningTrainings=2)


def test_pictures_beyond_the_quota_wait_and_the_oldest_request_goes_on_as_soon_as_there_is_room() -> None:
    async def story(watch: QuotaWatch) -> None:
        await _with_a_model(watch)
        watch.draw("first", 6)
        watch.draw("large", 8)
        watch.draw("small", 1)
        await asyncio.sleep(A_MOMENT)
        assert watch.waves() == [{"first"}]
        assert watch.waiting(AVATAR_REQUEST) == ["large", "small"], "the small one does not pass by"
        assert watch.state_of(AVATAR_REQUEST, "large") == "Pending"
        assert watch.reason_of(AVATAR_REQUEST, "large", "Succeeded") == "WaitingForQuota"
        assert watch.reason_of(AVATAR_REQUEST, "large", "Accepted") == "Accepted"

        began = now()
        await watch.until_state(AVATAR_REQUEST, "Succeeded", "first", "large", "small")

        assert watch.waves() == [{"first"}, {"large", "small"}]
        # Two calls for six pictures, then two for eight beside the one for one.
        assert now() - began < 4 * DRAW_SECONDS + 3 * A_MOMENT

    told(story, maxWaitingPictures=10)


def test_a_request_that_waits_for_its_quota_too_long_says_what_it_waited_for() -> None:
    async def story(watch: QuotaWatch) -> None:
        await _with_a_model(watch)
        watch.draw("first", 64)
        watch.draw("second", 64, queueDeadlineSeconds=10)
        watch.draw("third", 64)
        await until(lambda: watch.state_of(AVATAR_REQUEST, "second") == "Failed", within=20)
        failure = watch.around.kube.read(AVATAR_REQUEST, "second")["status"]["lastFailure"]
        assert failure["reason"] == "QueueDeadlineExceeded"
        assert "quotas.maxWaitingPictures" in failure["message"]

        await watch.until_state(AVATAR_REQUEST, "Succeeded", "first", "third", within=600)
        assert watch.waves() == [{"first"}, {"third"}]

    told(story, maxWaitingPictures=64)


@pytest.mark.parametrize("change", ["deleted", "model deleted"])
def test_a_request_that_goes_makes_room_for_those_behind_it(change: str) -> None:
    async def story(watch: QuotaWatch) -> None:
        await _with_a_model(watch)
        watch.train("bob")
        await watch.until_state(AVATAR_MODEL, "Ready", "bob")
        watch.begun.clear()
        watch.draw("first", 64, modelRef={"name": "bob"})
        watch.draw("second", 64)
        await asyncio.sleep(A_MOMENT)
        if change == "deleted":
            watch.around.kube.delete_as_user(AVATAR_REQUEST, "first")
        else:
            watch.around.kube.delete_as_user(AVATAR_MODEL, "bob")
        await until(lambda: watch.waves() == [{"first"}, {"second"}], within=DRAW_SECONDS + A_MOMENT)

    told(story, maxWaitingPictures=64)


@pytest.mark.parametrize(
    "status",
    [
        {"training": "none of ours"},
        {"conditions": ["none of ours"]},
        {"training": {"inferenceId": ["none of ours"]}, "observedGeneration": 1},
        {"model": 7, "conditions": 7},
    ],
)
def test_a_status_of_another_version_holds_up_nobody(status: dict[str, Any]) -> None:
    cache, brought_back = ObjectCache(), list[ObjectKey]()
    for quotas_of, manifest, kind in (
        (model_quotas, model_manifest(), AVATAR_MODEL),
        (request_quotas, request_manifest(), AVATAR_REQUEST),
    ):
        quotas = quotas_of(cache, brought_back.append)
        metadata = {
            **manifest["metadata"],
            "uid": kind.kind,
            "resourceVersion": "1",
            "creationTimestamp": "2026-11-25T12:00:00Z",
        }
        cache.store(kind, {**manifest, "metadata": metadata, "status": status})
        quotas.stand_back(kind.kind)
        assert quotas.waiting() == 0
    assert brought_back == []


async def _with_a_model(watch: QuotaWatch) -> None:
    watch.train("ann")
    await watch.until_state(AVATAR_MODEL, "Ready", "ann")
    watch.begun.clear()
