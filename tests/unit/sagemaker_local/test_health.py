"""When a container is trusted with requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sagemaker_local.instances import health
from sagemaker_local.instances.health import Health

DEADLINE = 60.0


class Container:
    """Answers pings as told, and lets a test wait for the next one."""

    def __init__(self) -> None:
        self.answering = True
        self.asked = threading.Semaphore(0)
        self.recovered = threading.Event()
        self.health = Health(self.ping, self.recovered.set)
        self.verdicts: list[bool] = []
        self.watching = threading.Thread(target=lambda: self.verdicts.append(self.health.watch()))

    def ping(self) -> bool:
        answer = self.answering
        self.asked.release()
        return answer


@pytest.fixture
def container() -> Iterator[Container]:
    container = Container()
    container.watching.start()
    yield container
    container.health.end()
    container.watching.join(DEADLINE)


def test_a_container_is_suspect_from_the_first_doubt_on() -> None:
    container = Container()
    container.health.doubt()
    assert container.health.suspect


def test_a_suspect_container_is_pinged_at_once_and_trusted_when_it_answers(container: Container) -> None:
    container.health.doubt()
    assert container.recovered.wait(DEADLINE)
    assert not container.health.suspect


def test_a_suspect_container_that_does_not_answer_stays_suspect(container: Container) -> None:
    container.answering = False
    container.health.doubt()
    for _ in range(3):
        assert container.asked.acquire(timeout=DEADLINE)
    assert container.health.suspect
    container.answering = True
    assert container.recovered.wait(DEADLINE)


def test_an_answer_from_before_a_doubt_does_not_settle_it() -> None:
    doubts = iter([True, False])
    container = Container()

    def ping() -> bool:
        if next(doubts):
            container.health.doubt()
            seen.append(container.health.suspect)
        return True

    seen: list[bool] = []
    container.health = Health(ping, container.recovered.set)
    container.watching.start()
    container.health.doubt()
    assert container.recovered.wait(DEADLINE)
    assert seen == [True]
    container.health.end()
    container.watching.join(DEADLINE)
    assert next(doubts, None) is None


def test_the_end_of_the_process_ends_the_watch_and_every_wait(container: Container) -> None:
    container.answering = False
    container.health.doubt()
    container.health.end()
    container.health.await_verdict(DEADLINE)
    container.watching.join(DEADLINE)
    assert container.verdicts == [True]


def test_a_container_that_ended_is_never_trusted_again() -> None:
    container = Container()
    container.health.end()
    assert not container.health.trust()


def test_a_container_that_answers_no_ping_for_a_minute_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "UNHEALTHY_SECONDS", 0.2)
    monkeypatch.setattr(health, "PING_INTERVAL_SECONDS", 0.05)
    container = Container()
    container.answering = False
    assert container.health.watch() is False
