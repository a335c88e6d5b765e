"""Faults of SQS deliveries, on moto's own queues."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from moto.sqs.models import Message, SQSBackend

from sagemaker_local.delivery_faults import DeliveryFaults
from sagemaker_local.faults import FaultBoard
from sagemaker_local.persistence.moto_pickling import dump_backend, load_backend

AN_HOUR = 3_600


class _Inbox:
    """A queue whose deliveries go by the faults."""

    def __init__(self, name: str = "inbox", **attributes: Any) -> None:
        self.board = FaultBoard()
        self.deliveries = DeliveryFaults(self.board)
        self.backend = SQSBackend("us-east-1", "123456789012")
        self.queue = self.backend.create_queue(name, **attributes)

    def order(self, action: str, **fault: Any) -> None:
        self.board.add({"kind": "delivery", "action": action, **fault})

    def send(self, body: str, delay_seconds: int = 0, group: str | None = None) -> Message:
        message = Message(f"id-of-{body}", body)
        message.group_id, message.deduplication_id = group, f"{group}-{body}" if group else None
        message.mark_sent(delay_seconds)
        self.deliveries.deliver(self.queue, message, self.queue.add_message)
        return message

    def shown(self) -> list[str]:
        return [message.body for message in self.queue.messages]


def test_without_a_fault_messages_arrive_as_they_were_sent() -> None:
    inbox = _Inbox()
    inbox.send("a")
    inbox.send("b")
    assert inbox.shown() == ["a", "b"]


def test_a_dropped_message_never_arrives() -> None:
    inbox = _Inbox()
    inbox.order("drop", times=2)
    for body in "abc":
        inbox.send(body)
    assert inbox.shown() == ["c"]


def test_a_duplicate_is_received_and_deleted_by_itself() -> None:
    inbox = _Inbox()
    inbox.order("duplicate")
    message = inbox.send("a")
    message.mark_received(visibility_timeout=30)
    assert inbox.shown() == ["a"]
    (twin,) = inbox.queue.messages
    assert (twin.id, twin.approximate_receive_count) == (message.id, 0)
    assert message.receipt_handle is not None
    inbox.queue.delete_message(message.receipt_handle)
    assert inbox.queue._messages == [twin]


def test_a_delay_comes_on_top_of_the_messages_own() -> None:
    inbox = _Inbox()
    inbox.order("delay", seconds=AN_HOUR)
    message = inbox.send("late", delay_seconds=900)
    assert message.sent_timestamp is not None
    assert message.delayed_until - message.sent_timestamp >= (900 + AN_HOUR) * 1_000


def test_a_message_is_put_behind_the_next() -> None:
    inbox = _Inbox()
    inbox.order("reorder", seconds=AN_HOUR)
    inbox.send("first")
    assert inbox.shown() == []
    inbox.send("second")
    inbox.send("third")
    assert inbox.shown() == ["second", "first", "third"]


def test_a_message_of_another_queue_overtakes_nothing() -> None:
    inbox = _Inbox()
    other = inbox.backend.create_queue("other")
    inbox.order("reorder", seconds=AN_HOUR)
    inbox.send("first")
    inbox.deliveries.deliver(other, Message("id", "elsewhere"), other.add_message)
    assert inbox.shown() == []


def test_a_message_that_is_dropped_overtakes_nothing() -> None:
    inbox = _Inbox()
    inbox.order("reorder", seconds=AN_HOUR)
    inbox.send("first")
    inbox.order("drop")
    inbox.send("dropped")
    assert inbox.shown() == []


def test_what_overtakes_is_shown_before_what_it_overtakes() -> None:
    inbox = _Inbox()
    inbox.order("reorder", seconds=AN_HOUR)
    first = inbox.send("first")
    second = inbox.send("second", delay_seconds=600)
    assert first.delayed_until == second.delayed_until
    assert [message.body for message in inbox.queue._messages] == ["second", "first"]


def test_an_overtaken_message_that_was_purged_stays_away() -> None:
    inbox = _Inbox()
    inbox.order("reorder", seconds=AN_HOUR)
    inbox.send("purged")
    inbox.queue._messages = []
    inbox.send("next")
    assert inbox.shown() == ["next"]


@pytest.mark.parametrize("action", ["delay", "reorder"])
def test_what_is_held_back_is_let_go_with_its_own_delay(action: str) -> None:
    inbox = _Inbox()
    inbox.order(action, seconds=AN_HOUR, times=2)
    inbox.send("at once")
    patient = inbox.send("delayed by its sender", delay_seconds=600)
    inbox.deliveries.let_go()
    assert inbox.shown() == ["at once"]
    assert patient.sent_timestamp is not None
    assert 600_000 <= patient.delayed_until - patient.sent_timestamp < AN_HOUR * 1_000


@pytest.mark.parametrize("action", ["delay", "reorder"])
def test_what_is_held_back_is_saved_with_its_queue(action: str, tmp_path: Path) -> None:
    inbox = _Inbox()
    inbox.order(action, seconds=AN_HOUR)
    held = inbox.send("held")
    data, _ = dump_backend(inbox.backend, tmp_path)
    (restored,) = load_backend(data, tmp_path).queues["inbox"]._messages
    assert (restored.body, restored.delayed_until) == ("held", held.delayed_until)


def test_a_delayed_message_of_a_fifo_queue_holds_up_its_group_and_no_other() -> None:
    inbox = _Inbox("inbox.fifo", FifoQueue="true")
    inbox.order("delay", seconds=AN_HOUR, body="a1")
    for group, body in [("a", "a1"), ("a", "a2"), ("b", "b1")]:
        inbox.send(body, group=group)
    assert inbox.shown() == ["b1"]
    inbox.deliveries.let_go()
    assert inbox.shown() == ["a1", "a2", "b1"]


def test_a_message_that_a_fifo_queue_has_seen_before_is_not_held_back() -> None:
    inbox = _Inbox("inbox.fifo", FifoQueue="true")
    inbox.send("a1", group="a")
    inbox.order("delay", seconds=AN_HOUR)
    inbox.send("a1", group="a")
    inbox.send("a2", group="a")
    assert inbox.shown() == ["a1", "a2"]


@pytest.mark.parametrize("action", ["duplicate", "reorder"])
def test_fifo_queues_are_passed_by_what_they_promise_not_to_do(action: str) -> None:
    inbox = _Inbox("inbox.fifo", FifoQueue="true")
    inbox.order(action, seconds=AN_HOUR)
    inbox.send("a1", group="a")
    assert inbox.shown() == ["a1"]
    assert len(inbox.board.listing()) == 1
