"""Events: whatever a user may call an object, the API server takes the Event about it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_operator.core.decision import Notice
from avatar_operator.core.news import News
from avatar_operator.kube.client import KubeError, Object
from avatar_operator.kube.events import EventRecorder
from builders.clock import NOON, FakeClock
from builders.kube import FakeKubeClient
from builders.manifests import model_manifest, runtime_manifest
from builders.objects import MODEL_UID

DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
"""Kubernetes' rule for names of objects (apimachinery, IsDNS1123Subdomain), at most 253 letters."""
SUBMITTED = Notice("Normal", "TrainingSubmitted", "Attempt 1 was queued.")
_label = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
_names = st.lists(_label, min_size=1, max_size=253).map(".".join).filter(lambda name: len(name) <= 253)


def _body(name: str, *, cluster_scoped: bool = False) -> Object:
    manifest = runtime_manifest(name=name) if cluster_scoped else model_manifest(name=name)
    manifest["metadata"] |= {"uid": MODEL_UID, "resourceVersion": "7"}
    return manifest


async def _recorded(body: Object, notice: Notice = SUBMITTED, notice_id: str | None = None) -> Object:
    kube = FakeKubeClient(FakeClock())
    recorder = EventRecorder(kube, FakeClock(), instance="replica-" + "x" * 300)
    news = News(notice, occasion="r1-a1", time=NOON)
    await recorder.record(body, notice, notice_id=notice_id or news.id_of(MODEL_UID))
    (event,) = kube.events.values()
    return event


@given(name=_names)
@settings(max_examples=200)
async def test_every_name_that_an_object_can_have_makes_an_event_that_is_taken(name: str) -> None:
    event = await _recorded(_body(name))

    assert len(event["metadata"]["name"]) <= 253
    assert DNS_SUBDOMAIN.fullmatch(event["metadata"]["name"])


@pytest.mark.parametrize("last", ["-", ".", "--", "---"])
@pytest.mark.parametrize("length", [199, 200, 201])
async def test_a_name_that_is_cut_does_not_end_in_a_dash_or_a_dot(length: int, last: str) -> None:
    name = ("a" * (length - len(last)) + last + "b" * 253)[:253]

    event = await _recorded(_body(name))

    assert DNS_SUBDOMAIN.fullmatch(event["metadata"]["name"])
    assert event["regarding"]["name"] == name


@given(text=st.text(min_size=1), reason=st.from_regex(r"[A-Z][A-Za-z]{0,300}", fullmatch=True))
async def test_no_words_are_longer_than_the_api_server_takes(text: str, reason: str) -> None:
    event = await _recorded(_body("ann"), Notice("Warning", reason, text * 200))

    assert len(event["note"].encode()) <= 1024
    assert len(event["reason"]) <= 128
    assert len(event["reportingInstance"]) <= 128


async def test_a_short_note_is_told_in_full() -> None:
    assert (await _recorded(_body("ann")))["note"] == SUBMITTED.message


async def test_events_of_objects_without_a_namespace_are_kept_in_default() -> None:
    event = await _recorded(_body("standard", cluster_scoped=True))

    assert event["metadata"]["namespace"] == "default"


async def test_the_same_news_makes_the_same_event_and_other_news_another() -> None:
    first = News(SUBMITTED, occasion="r1-a1", time=NOON)
    better_words = News(Notice("Normal", "TrainingSubmitted", "Better words."), occasion="r1-a1", time=NOON)
    second = News(SUBMITTED, occasion="r1-a2", time=NOON)
    kube = FakeKubeClient(FakeClock())
    recorder = EventRecorder(kube, FakeClock(), instance="test")
    for news in (first, better_words, second):
        await recorder.record(_body("ann"), news.notice, notice_id=news.id_of(MODEL_UID))

    assert len(kube.events) == 2


async def test_an_api_server_that_does_not_take_an_event_is_heard() -> None:
    kube = FakeKubeClient(FakeClock())
    kube.fail_next("create_event", status=422)

    with pytest.raises(KubeError):
        await EventRecorder(kube, FakeClock(), instance="test").record(
            _body("ann"), SUBMITTED, notice_id="0" * 16
        )
