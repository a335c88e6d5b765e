"""SQS deliveries on demand: lost, doubled, late, out of order."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_local.testing import LocalAws

AN_HOUR = 3_600


class _Inbox:
    """A queue, subscribed to a topic."""

    def __init__(self, emulator: LocalAws, user: Any) -> None:
        self._emulator = emulator
        self._user = user
        self._sqs = user.sqs
        self.name = f"{user.name}-inbox"
        self._url = user.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        arn = self._attribute("QueueArn")
        self.topic = user.sns.create_topic(Name=self.name)["TopicArn"]
        user.sns.subscribe(
            TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )

    def order(self, action: str, **fault: Any) -> None:
        self._emulator.add_fault(kind="delivery", action=action, queue=self.name, **fault)

    def send(self, body: str, **parameters: Any) -> str:
        """The id that the sender is told."""
        answer = self._sqs.send_message(QueueUrl=self._url, MessageBody=body, **parameters)
        return str(answer["MessageId"])

    def send_batch(self, *bodies: str) -> dict[str, Any]:
        entries = [{"Id": body, "MessageBody": body} for body in bodies]
        return dict(self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries))

    def publish(self, body: str) -> None:
        self._user.sns.publish(TopicArn=self.topic, Message=body)

    def receive(self, count: int) -> list[dict[str, Any]]:
        """The next messages, as soon as so many have come."""
        received: list[dict[str, Any]] = []

        def look() -> list[dict[str, Any]]:
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                received.append(message)
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            return received

        return list(self._user.eventually(look, lambda messages: len(messages) >= count))

    def received(self, count: int) -> list[str]:
        return [message["Body"] for message in self.receive(count)]

    def delayed(self) -> int:
        return int(self._attribute("ApproximateNumberOfMessagesDelayed"))

    def _attribute(self, name: str) -> str:
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        return str(answer["Attributes"][name])


@pytest.fixture
def inbox(emulator: LocalAws, user: Any) -> _Inbox:
    return _Inbox(emulator, user)


def test_the_sender_of_a_dropped_message_is_answered_with_success(inbox: _Inbox) -> None:
    inbox.order("drop", body="lost")
    assert inbox.send("lost")
    inbox.send("sent")
    assert inbox.received(1) == ["sent"]


def test_a_message_of_a_batch_is_dropped_and_the_batch_succeeds(inbox: _Inbox) -> None:
    inbox.order("drop", every=2)
    answer = inbox.send_batch("a", "b", "c")
    assert [entry["Id"] for entry in answer["Successful"]] == ["a", "b", "c"]
    assert inbox.received(2) == ["a", "c"]


def test_what_a_topic_fans_out_is_dropped_on_demand(inbox: _Inbox) -> None:
    inbox.order("drop")
    inbox.publish("lost")
    inbox.publish("told")
    assert inbox.received(1) == ["told"]


def test_a_duplicate_arrives_under_the_same_id(inbox: _Inbox) -> None:
    inbox.order("duplicate")
    told = inbox.send("twice")
    assert [(message["Body"], message["MessageId"]) for message in inbox.receive(2)] == [("twice", told)] * 2


def test_a_delayed_message_is_counted_as_delayed_until_the_faults_are_cleared(
    emulator: LocalAws, inbox: _Inbox
) -> None:
    inbox.order("delay", seconds=AN_HOUR)
    inbox.publish("late")
    inbox.publish("in time")
    assert inbox.received(1) == ["in time"]
    assert inbox.delayed() == 1
    emulator.clear_faults()
    assert inbox.received(1) == ["late"]


def test_a_delayed_message_arrives_in_the_end(inbox: _Inbox) -> None:
    inbox.order("delay", seconds=0.5)
    inbox.send("late")
    assert inbox.received(1) == ["late"]


def test_a_message_is_overtaken_by_the_next_whoever_sends_it(inbox: _Inbox) -> None:
    inbox.order("reorder", seconds=AN_HOUR)
    inbox.publish("first")
    assert inbox.delayed() == 1
    inbox.send("second")
    assert inbox.received(2) == ["second", "first"]


def test_queues_of_other_names_are_left_alone(inbox: _Inbox, emulator: LocalAws, user: Any) -> None:
    inbox.order("drop")
    other = user.sqs.create_queue(QueueName=f"{inbox.name}-other")["QueueUrl"]
    user.sqs.send_message(QueueUrl=other, MessageBody="x")
    assert user.sqs.receive_message(QueueUrl=other)["Messages"][0]["Body"] == "x"
    assert len(emulator.faults()) == 1
