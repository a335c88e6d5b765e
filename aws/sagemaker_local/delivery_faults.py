"""SQS deliveries that are lost, doubled, late or out of order: on demand, and whoever sent the message.

SendMessage, SNS's fan-out, S3's events and moves to a dead-letter queue all end in one method of moto's queues,
`Queue.add_message`. It is wrapped in this process; while no fault waits and no message is held back, the wrapper only calls
moto's own. The sender has been answered with success whatever happens here, as in reality.

A message that is held back is in its queue all the while, by the time at which moto shows it (`delayed_until`, moto's
DelaySeconds). So it is counted as delayed, saved, purged and deleted with its queue like any other, comes when its time is over
even if this program was restarted meanwhile, and needs no timer. What is remembered here only serves to let it go earlier: when
the next message has overtaken it, or when the faults are cleared.

In a FIFO queue a delayed message holds up those of its group that come after it, which keeps the order that AWS promises.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass

from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, Queue

from sagemaker_local.faults import DeliveryFault, FaultBoard

_moto_add_message = Queue.add_message


@dataclass
class _HeldBack:
    """A message that a fault keeps from being received.

    Attributes:
        due: when it would be shown without the fault, in milliseconds since 1970.
        until: when it is shown at the latest.
        to_be_overtaken: whether it waits for the next message of its queue.
    """

    queue: Queue
    message: Message
    due: float
    until: float
    to_be_overtaken: bool


class DeliveryFaults:
    """Plays the faults that are ordered for messages arriving in SQS queues."""

    def __init__(self, board: FaultBoard) -> None:
        self._board = board
        self._held: list[_HeldBack] = []
        self._lock = threading.Lock()

    def install(self) -> None:
        """Let every message that arrives in a queue of this process's moto come by here."""

        def add_message(queue: Queue, message: Message) -> None:
            self.deliver(queue, message, lambda arrived: _moto_add_message(queue, arrived))

        Queue.add_message = add_message  # type: ignore[assignment, method-assign]

    def deliver(self, queue: Queue, message: Message, add: Callable[[Message], None]) -> None:
        """Let a message arrive as the faults have it.

        Arguments:
            add: what puts a message into the queue when nothing goes wrong.
        """
        fault: DeliveryFault | None = None
        if self._board.has(DeliveryFault):
            fault = self._board.take_delivery(queue.name, message.body, queue.fifo_queue)
        if fault is None and not self._held:
            add(message)
            return
        if fault is not None and fault.action == "drop":
            return
        due = message.delayed_until
        until = self._end_of_group(queue, message, due)
        if fault is not None and fault.action in ("delay", "reorder"):
            until = max(until, unix_time_millis()) + fault.seconds * 1_000
        message.delayed_until = until
        twin = copy.deepcopy(message) if fault is not None and fault.action == "duplicate" else None
        add(message)
        if twin is not None:
            add(twin)
        to_be_overtaken = fault is not None and fault.action == "reorder"
        if not to_be_overtaken:
            self._overtake(queue, message)
        # A FIFO queue does not take a message that it has seen before.
        if until > due and any(each is message for each in queue._messages):
            with self._lock:
                self._held.append(_HeldBack(queue, message, due, until, to_be_overtaken))

    def let_go(self) -> None:
        """Show all messages that are held back, as the faults have been cleared."""
        with self._lock:
            released, self._held = self._held, []
        for held in released:
            with held.queue._messages_lock:
                held.message.delayed_until = held.due
                held.queue._messages_lock.notify_all()

    def _end_of_group(self, queue: Queue, message: Message, due: float) -> float:
        """When a message may be shown: not before those that are held back before it in its group of a FIFO queue."""
        now = unix_time_millis()
        with self._lock:
            self._held = [held for held in self._held if held.until > now]
            before = [
                held.until
                for held in self._held
                if queue.fifo_queue and held.queue is queue and held.message.group_id == message.group_id
            ]
        return max([due, *before])

    def _overtake(self, queue: Queue, arrived: Message) -> None:
        """Put the messages that wait for being overtaken behind the one that has arrived."""
        with self._lock:
            overtaken = [held for held in self._held if held.to_be_overtaken and held.queue is queue]
            for held in overtaken:
                held.to_be_overtaken = False
        for held in overtaken:
            with queue._messages_lock:
                if any(each is held.message for each in queue._messages):
                    # Replaced whole, as moto's own deletion does, which takes no lock and must not see it change.
                    queue._messages = [each for each in queue._messages if each is not held.message] + [
                        held.message
                    ]
                held.message.delayed_until = min(held.until, max(held.due, arrived.delayed_until))
                queue._messages_lock.notify_all()
