"""Letters: in order, again and again, and not for ever; a place that is out of reach keeps nobody else waiting."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.group import AVATAR_MODEL
from avatar_operator.announcements.letter import EVENTS, Letter, UndeliverableError
from avatar_operator.announcements.place_troubles import LOSS_TOLD_SECONDS, PlaceTrouble
from avatar_operator.announcements.post_office import (
    AT_ONCE,
    MAX_WAITING,
    PATIENCE_SECONDS,
    LetterMetrics,
    PostOffice,
)
from avatar_operator.core.decision import Notice
from avatar_operator.core.news import News
from avatar_operator.core.tenant import current_tenant
from avatar_operator.kube.leadership import LeadershipLostError
from builders.clock import NOON
from builders.virtual_time import VirtualTimeLoop

UNREACHABLE = UndeliverableError("AwsUnreachable", "no answer", hopeless=False)
REFUSED = UndeliverableError("EventRefused", "422", hopeless=True)
API_SERVER_AWAY = UndeliverableError("ApiServerUnavailable", "500", hopeless=False)
HOUR = 3600.0
TIME_OUT = 30.0


class Post:
    """A post office, places that may be out of reach, and what arrived there."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.arrived: list[tuple[str, str, float]] = []
        self.tries = 0
        self.fails: Callable[[Letter], Exception | None] = lambda _letter: None
        self.takes: Callable[[Letter], Coroutine[Any, Any, None]] = _at_once
        self.told: list[str] = []
        self.office = PostOffice(self._deliver, LetterMetrics(self.registry), self.told.append)

    async def _deliver(self, letter: Letter) -> None:
        self.tries += 1
        failure = self.fails(letter)
        if failure is not None:
            raise failure
        await self.takes(letter)
        self.arrived.append((letter.destination, letter.news.notice.reason, _now()))

    def post(
        self,
        reason: str,
        *,
        to: str = "standard",
        namespace: str = "team-a",
        uid: str = "1",
        apart: bool = False,
    ) -> None:
        """Post a letter about the object with a uid."""
        body = {"kind": "AvatarModel", "metadata": {"namespace": namespace, "name": "ann", "uid": uid}}
        news = News(Notice("Normal", reason, ""), occasion="", time=NOON)
        self.office.post(
            Letter(to, AVATAR_MODEL, body, version=7, news=news, written=_now(), apart=apart or to == EVENTS)
        )

    def reasons(self, destination: str = "standard") -> list[str]:
        """What arrived at a place."""
        return [reason for place, reason, _ in self.arrived if place == destination]

    def count(self, outcome: str, sink: str = "Topic") -> float:
        """What the counter says."""
        labels = {"sink": sink, "outcome": outcome}
        return self.registry.get_sample_value("avatar_announcements_total", labels) or 0.0

    def waiting(self, sink: str = "Topic") -> float | None:
        """What the gauge says."""
        return self.registry.get_sample_value("avatar_announcements_waiting", {"sink": sink})


async def _at_once(_letter: Letter) -> None:
    """Take a letter without a pause."""


def _namespace(letter: Letter) -> str:
    return str(letter.body["metadata"]["namespace"])


def _now() -> float:
    return asyncio.get_running_loop().time()


def _in_virtual_time(story: Callable[[Post], Coroutine[Any, Any, None]]) -> None:
    async def around() -> None:
        post = Post()
        running = asyncio.create_task(post.office.run())
        await asyncio.sleep(0)
        try:
            await story(post)
        finally:
            running.cancel()
            await asyncio.wait([running])

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(around())


def test_a_letter_arrives_at_once() -> None:
    async def story(post: Post) -> None:
        post.post("Ready")
        await asyncio.sleep(0.1)

        assert post.arrived == [("standard", "Ready", 0.0)]
        assert (post.count("Delivered"), post.waiting()) == (1, 0)
        assert list(post.office.waiting()) == []

    _in_virtual_time(story)


def test_letters_about_one_object_keep_their_order_though_the_first_fails() -> None:
    async def story(post: Post) -> None:
        failures = iter([UNREACHABLE, UNREACHABLE])
        post.fails = lambda _letter: next(failures, None)
        for reason in ("First", "Second", "Third"):
            post.post(reason)
        await asyncio.sleep(10)

        assert post.reasons() == ["First", "Second", "Third"]

    _in_virtual_time(story)


def test_a_place_that_is_out_of_reach_is_tried_with_growing_pauses_up_to_a_minute() -> None:
    async def story(post: Post) -> None:
        moments: list[float] = []

        def out_of_reach(_letter: Letter) -> Exception:
            moments.append(_now())
            return UNREACHABLE

        post.fails = out_of_reach
        post.post("Ready")
        await asyncio.sleep(200)

        assert moments == [0, 1, 3, 7, 15, 31, 63, 123, 183]

    _in_virtual_time(story)


def test_a_place_that_is_out_of_reach_keeps_no_other_place_waiting() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda letter: UNREACHABLE if letter.destination == "broken" else None
        for number in range(10):
            post.post("Ready", to="broken", uid=str(number))
            post.post("Ready", to="standard", uid=str(number))
            post.post("Ready", to=EVENTS, uid=str(number))
        await asyncio.sleep(0.1)

        assert len(post.reasons("standard")) == len(post.reasons(EVENTS)) == 10
        assert post.reasons("broken") == []
        assert (post.waiting(), post.waiting("Event")) == (10, 0)

    _in_virtual_time(story)


def test_a_namespace_that_takes_no_events_keeps_those_of_no_other_waiting() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda letter: API_SERVER_AWAY if _namespace(letter) == "broken" else None
        for number in range(20):
            post.post("Stuck", to=EVENTS, namespace="broken", uid=str(number))
        await asyncio.sleep(HOUR / 2)
        posted = _now()
        for number in range(20):
            post.post("Ready", to=EVENTS, namespace=f"team-{number}", uid=f"of team {number}")
        await asyncio.sleep(1)

        assert [when for _, _, when in post.arrived] == [posted] * 20
        assert post.waiting("Event") == 20

    _in_virtual_time(story)


def test_a_namespace_whose_events_nobody_answers_keeps_those_of_no_other_waiting_for_long() -> None:
    async def story(post: Post) -> None:
        async def no_answer(letter: Letter) -> None:
            if _namespace(letter) == "broken":
                await asyncio.sleep(TIME_OUT)
                raise API_SERVER_AWAY

        post.takes = no_answer
        for number in range(100):
            post.post("Stuck", to=EVENTS, namespace="broken", uid=str(number))
        await asyncio.sleep(HOUR / 2)
        posted = _now()
        for number in range(100):
            post.post("Ready", to=EVENTS, namespace=f"team-{number}", uid=f"of team {number}")
        await asyncio.sleep(1)

        assert [when for _, _, when in post.arrived] == [posted] * 100

    _in_virtual_time(story)


def test_however_many_namespaces_have_news_few_events_are_on_their_way_at_once() -> None:
    async def story(post: Post) -> None:
        under_way: list[Letter] = []
        most = 0

        async def slowly(letter: Letter) -> None:
            nonlocal most
            under_way.append(letter)
            most = max(most, len(under_way))
            await asyncio.sleep(0.01)
            under_way.remove(letter)

        post.takes = slowly
        for number in range(500):
            post.post("Ready", to=EVENTS, namespace=f"team-{number}", uid=str(number))
        await asyncio.sleep(10)

        assert len(post.reasons(EVENTS)) == 500
        assert most == AT_ONCE

    _in_virtual_time(story)


def _calls_to_tell(namespaces: int) -> int:
    """How many functions are called until each of some namespaces has heard of one thing."""
    calls = 0

    def count(_frame: object, what: str, _argument: object) -> None:
        nonlocal calls
        calls += what == "call"

    async def story(post: Post) -> None:
        for number in range(namespaces):
            post.post("Ready", to=EVENTS, namespace=f"team-{number}", uid=str(number))
        await asyncio.sleep(1)
        assert len(post.reasons(EVENTS)) == namespaces

    sys.setprofile(count)
    try:
        _in_virtual_time(story)
    finally:
        sys.setprofile(None)
    return calls


def test_news_of_ten_times_as_many_namespaces_take_ten_times_as_much_work_and_no_more() -> None:
    assert _calls_to_tell(1000) < 12 * _calls_to_tell(100)


def test_what_has_been_told_takes_no_memory() -> None:
    async def story(post: Post) -> None:
        for number in range(500):
            post.post("Ready", to=EVENTS, namespace=f"team-{number}", uid=str(number))
        await asyncio.sleep(1)

        assert len(post.reasons(EVENTS)) == 500
        assert post.office._lanes == {}

    _in_virtual_time(story)


def test_a_letter_that_has_waited_for_an_hour_is_given_up_and_counted_and_the_next_has_its_turn() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda _letter: UNREACHABLE
        post.post("Ready")
        await asyncio.sleep(HOUR)
        assert post.count("GivenUp") == 0
        post.post("Later")
        await asyncio.sleep(121)
        assert (post.count("GivenUp"), post.waiting()) == (1, 1)

        post.fails = lambda _letter: None
        await asyncio.sleep(61)
        assert post.reasons() == ["Later"]

    _in_virtual_time(story)


def test_a_letter_that_is_refused_is_dropped_and_blocks_nothing() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda letter: REFUSED if letter.news.notice.reason == "Bad" else None
        post.post("Bad", to=EVENTS)
        post.post("Good", to=EVENTS)
        await asyncio.sleep(0.1)

        assert post.reasons(EVENTS) == ["Good"]
        assert (post.count("Refused", "Event"), post.count("Delivered", "Event")) == (1, 1)
        assert post.waiting("Event") == 0

    _in_virtual_time(story)


def test_a_refused_letter_to_a_topic_is_told_of_for_an_hour_though_the_next_ones_arrive() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda letter: REFUSED if letter.news.notice.reason == "Bad" else None
        for reason in ("Bad", "Good"):
            post.post(reason)
        await asyncio.sleep(LOSS_TOLD_SECONDS - 1)

        assert post.reasons() == ["Good"]
        assert post.office.trouble("standard") == PlaceTrouble("EventRefused", "422", lost=True)
        assert post.told == ["standard"]
        await asyncio.sleep(2)
        assert post.office.trouble("standard") is None
        assert post.told == ["standard", "standard"]

    _in_virtual_time(story)


def test_the_hour_begins_anew_with_each_letter_that_is_lost() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda _letter: REFUSED
        post.post("Bad")
        await asyncio.sleep(LOSS_TOLD_SECONDS - 1)
        post.post("Bad, too")
        await asyncio.sleep(LOSS_TOLD_SECONDS - 1)

        assert post.office.trouble("standard") is not None
        assert post.told == ["standard"]
        await asyncio.sleep(2)
        assert post.office.trouble("standard") is None

    _in_virtual_time(story)


def test_a_refusal_is_an_answer_so_the_next_letter_that_fails_is_tried_again_as_soon_as_the_first() -> None:
    async def story(post: Post) -> None:
        tries: list[tuple[str, float]] = []

        def fails(letter: Letter) -> Exception | None:
            reason = letter.news.notice.reason
            tries.append((reason, _now()))
            return UNREACHABLE if len(tries) in (1, 2, 4) else REFUSED if reason == "Bad" else None

        post.fails = fails
        for reason in ("Bad", "Good"):
            post.post(reason)
        await asyncio.sleep(10)

        assert tries == [("Bad", 0), ("Bad", 1), ("Bad", 3), ("Good", 3), ("Good", 4)]

    _in_virtual_time(story)


def test_a_defect_in_writing_one_letter_blocks_no_other_and_its_words_stay_in_the_log() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda letter: ValueError("password 123") if letter.news.notice.reason == "Bad" else None
        post.post("Bad")
        post.post("Good")
        await asyncio.sleep(0.1)

        assert post.reasons() == ["Good"]
        assert post.count("Refused") == 1
        trouble = post.office.trouble("standard")
        assert trouble is not None
        assert (trouble.reason, trouble.lost) == ("Defect", True)
        assert "ValueError" in trouble.message
        assert "123" not in trouble.message

    _in_virtual_time(story)


def test_a_place_counts_as_unreachable_after_three_failures_and_as_reachable_after_one_delivery() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda _letter: UNREACHABLE
        post.post("Ready")
        await asyncio.sleep(2)
        assert (post.office.trouble("standard"), post.told) == (None, [])

        await asyncio.sleep(2)
        assert post.office.trouble("standard") == PlaceTrouble("AwsUnreachable", "no answer", lost=False)
        assert post.told == ["standard"]
        await asyncio.sleep(200)
        assert post.told == ["standard"], "it is told once"

        post.fails = lambda _letter: None
        await asyncio.sleep(61)
        assert post.office.trouble("standard") is None
        assert post.told == ["standard", "standard"]

    _in_virtual_time(story)


def test_one_tenants_thousand_letters_to_a_topic_do_not_keep_anothers_one_waiting() -> None:
    async def story(post: Post) -> None:
        post.takes = lambda _letter: asyncio.sleep(1.0)
        for number in range(1000):
            post.post("Theirs", namespace="team-a", uid=str(number))
        await asyncio.sleep(0.5)
        for number in range(8):
            post.post("Ours", namespace="team-b", uid=str(number))
        await asyncio.sleep(20)

        ours = [arrived for _, reason, arrived in post.arrived if reason == "Ours"]
        assert len(ours) == 8
        # Eight objects may share one of the lanes: then every other letter of that lane is ours.
        assert ours[0] <= 3.0
        assert ours[-1] <= 18.0

    _in_virtual_time(story)


def test_a_letter_is_written_on_behalf_of_its_namespace() -> None:
    async def story(post: Post) -> None:
        tenants = []

        async def take(_letter: Letter) -> None:
            tenants.append(current_tenant())

        post.takes = take
        post.post("Ready", namespace="team-b")
        await asyncio.sleep(0.1)

        assert tenants == ["team-b"]

    _in_virtual_time(story)


def test_a_topic_that_is_gone_is_not_tried_more_often_because_more_namespaces_wait() -> None:
    async def tries_with(namespaces: int) -> int:
        post = Post()
        running = asyncio.create_task(post.office.run())
        await asyncio.sleep(0)
        post.fails = lambda _letter: UNREACHABLE
        for number in range(100):
            post.post("Ready", namespace=f"team-{number % namespaces}", uid=str(number))
        await asyncio.sleep(HOUR / 2)
        running.cancel()
        await asyncio.wait([running])
        return post.tries

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(tries_with(100)) == runner.run(tries_with(1))


def test_a_tenant_that_fills_a_lane_pushes_out_its_own_letters() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda _letter: UNREACHABLE
        post.post("Ours", namespace="team-b")
        for _ in range(MAX_WAITING + 10):
            post.post("Theirs", namespace="team-a")

        waiting = [letter.news.notice.reason for letter in post.office.waiting()]
        assert waiting.count("Ours") == 1
        assert len(waiting) == MAX_WAITING

    _in_virtual_time(story)


def test_what_was_posted_before_the_office_opened_is_delivered() -> None:
    async def story() -> None:
        post = Post()
        post.post("Ready")
        running = asyncio.create_task(post.office.run())
        await asyncio.sleep(0.1)

        assert post.reasons() == ["Ready"]
        running.cancel()
        await asyncio.wait([running])

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story())


def test_more_letters_than_can_be_kept_push_out_the_oldest() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda _letter: UNREACHABLE
        for number in range(MAX_WAITING + 1):
            post.post(f"News{number}")

        waiting = [letter.news.notice.reason for letter in post.office.waiting()]
        assert len(waiting) == MAX_WAITING
        assert waiting[0] == "News1"
        assert (post.count("GivenUp"), post.waiting()) == (1, MAX_WAITING)

    _in_virtual_time(story)


@pytest.mark.parametrize("failure", [REFUSED, ValueError("a defect")], ids=["refused", "a defect"])
def test_at_the_end_of_the_process_everything_is_tried_once_more_without_waiting(failure: Exception) -> None:
    async def story() -> None:
        post = Post()
        post.fails = lambda letter: {"Bad": failure, "Stuck": UNREACHABLE}.get(letter.news.notice.reason)
        post.post("Bad")
        post.post("Good")
        post.post("Stuck", to="broken")
        post.post("Behind", to="broken")
        await post.office.flush()

        assert post.reasons() == ["Good"]
        assert [letter.news.notice.reason for letter in post.office.waiting()] == ["Stuck", "Behind"]
        assert _now() == 0.0

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story())


def test_a_letter_that_may_not_be_sent_any_more_is_left_to_the_next_leader() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda _letter: LeadershipLostError("the lease is over")
        post.post("ModelReady")

        with pytest.raises(LeadershipLostError):
            await post.office.flush()

        assert [letter.news.notice.reason for letter in post.office.waiting()] == ["ModelReady"]
        assert post.count("Refused") == 0

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story(Post()))


def test_a_topic_of_one_namespace_that_is_gone_keeps_no_other_waiting() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda letter: UNREACHABLE if _namespace(letter) == "gone" else None
        for namespace in ("gone", "team-a", "team-b"):
            post.post("Ready", namespace=namespace, apart=True)
        await asyncio.sleep(0.1)

        assert len(post.reasons()) == 2
        assert post.office.trouble("standard") is None, "one failure is a hiccup"
        await asyncio.sleep(10)
        post.post("Later", namespace="team-a", apart=True)
        await asyncio.sleep(0.1)

        assert post.reasons()[-1] == "Later"
        trouble = post.office.trouble("standard")
        assert trouble is not None
        assert trouble.lost is False
        assert post.told == ["standard"], "what arrives elsewhere ends no trouble"

    _in_virtual_time(story)


def test_a_namespace_that_is_gone_with_its_topic_is_forgotten_some_time_after_its_last_letter() -> None:
    async def story(post: Post) -> None:
        post.fails = lambda _letter: UNREACHABLE
        post.post("Ready", namespace="gone", apart=True)
        await asyncio.sleep(PATIENCE_SECONDS + 100)

        trouble = post.office.trouble("standard")
        assert trouble is not None
        assert trouble.lost is True
        await asyncio.sleep(LOSS_TOLD_SECONDS)
        assert post.office.trouble("standard") is None

    _in_virtual_time(story)
