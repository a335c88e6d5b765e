"""A fleet: the instances of one production variant, kept at the wanted number.

An instance that ends without having been asked to is replaced: at once, and later and later if its replacements end too before
they have done anything (`crash_backoff.py`).
While the fleet is being scaled (an endpoint is created or updated), an instance that never served counts as a failed start,
and after three of these the scaling has failed, because a command line that cannot start will not start the fourth time.
(SageMaker keeps trying until the start-up time-out.)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from sagemaker_local.instances.container_spec import ContainerSpec, Placement
from sagemaker_local.instances.crash_backoff import CrashBackoff
from sagemaker_local.instances.host import InstanceHost
from sagemaker_local.instances.instance import Instance, State
from sagemaker_local.side_by_side import side_by_side

FAILED_STARTS = 3
# Losing a port is nobody's fault and is simply tried again on another one, within reason.
LOST_PORTS = 10
# A request may run for an hour (asynchronous invocations); a retired instance finishes it.
DRAIN_SECONDS = 3600.0


class Fleet:
    """Instances of one variant.

    Arguments:
        on_capacity: called without locks whenever an instance came into service, ended, or has room again.
    """

    def __init__(
        self, host: InstanceHost, placement: Placement, spec: ContainerSpec, on_capacity: Callable[[], None]
    ) -> None:
        self.spec = spec
        self.placement = placement
        self._host = host
        self._on_capacity = on_capacity
        self._changed = threading.Condition()
        self._members: list[Instance] = []
        self._retired: list[Instance] = []
        self._desired = 0
        self._backoff = CrashBackoff()
        self._failed_starts = 0
        self._lost_ports = 0
        self._failure = ""
        self._scaling = False
        self._closed = False

    @property
    def desired(self) -> int:
        return self._desired

    def in_service(self) -> list[Instance]:
        """The instances that take requests."""
        with self._changed:
            return [
                member for member in self._members if member.state is State.IN_SERVICE and not member.retiring
            ]

    def scale(self, desired: int) -> None:
        """Start or retire instances until there are `desired`. Returns at once."""
        with self._changed:
            self._desired = desired
            self._scaling = True
            self._failed_starts = 0
            self._failure = ""
            surplus = len(self._members) - desired
            leaving = sorted(
                self._members, key=lambda member: (member.state is State.IN_SERVICE, member.in_flight)
            )[: max(surplus, 0)]
            for member in leaving:
                self._members.remove(member)
                self._retired.append(member)
        for member in leaving:
            threading.Thread(
                target=self._end, args=(member, True, None), name=f"retire-{member.id}", daemon=True
            ).start()
        self._fill()

    def await_desired(self) -> str:
        """Wait until all desired instances serve. Returns the reason why they will not, or an empty string."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._failure
                    or self._closed
                    or sum(member.state is State.IN_SERVICE for member in self._members) >= self._desired
                )
            )
            self._scaling = False
            return self._failure or ("the endpoint was closed" if self._closed else "")

    def close(self, drain: bool, grace: float | None = None) -> None:
        """Stop all instances and wait until they are gone.

        Arguments:
            drain: let instances finish what they are doing first.
            grace: real seconds between SIGTERM and SIGKILL; by default SageMaker's thirty.
        """
        with self._changed:
            self._closed = True
            members = [*self._members, *self._retired]
            self._changed.notify_all()
        side_by_side((partial(self._end, member, drain, grace) for member in members), "stop-instance")

    def _end(self, member: Instance, drain: bool, grace: float | None) -> None:
        if drain:
            member.retire(self._host.clock.real(DRAIN_SECONDS))
        else:
            member.stop(grace)

    def _fill(self) -> None:
        while True:
            with self._changed:
                if self._closed or (self._scaling and self._failure) or len(self._members) >= self._desired:
                    return
                delay = self._backoff.delay()
                instance = Instance(self._host, self.placement, self.spec, self._changed_instance, delay)
                self._members.append(instance)
            instance.start()

    def _changed_instance(self, instance: Instance) -> None:
        with self._changed:
            if instance.state is State.ENDED:
                self._account_for_end(instance)
            self._changed.notify_all()
        if instance.state is State.ENDED:
            self._fill()
        self._on_capacity()

    def _account_for_end(self, instance: Instance) -> None:
        if instance in self._retired:
            self._retired.remove(instance)
        if instance not in self._members:
            return
        self._members.remove(instance)
        if instance.port_taken and self._lost_ports < LOST_PORTS:
            self._lost_ports += 1
            return
        served = 0.0 if instance.served_since is None else time.monotonic() - instance.served_since
        self._backoff.crashed(served, instance.answered)
        if not self._scaling or instance.served_since is not None:
            return
        self._failed_starts += 1
        if instance.fatal or self._failed_starts >= FAILED_STARTS:
            self._failure = instance.end_reason
