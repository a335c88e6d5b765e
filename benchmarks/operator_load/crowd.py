"""Many models at once; an operator that starts over all of them; idle minutes; and their deletion.

The backend is the simulated one, so that what is measured is the control plane and nothing else. The peer is the
simplest writer there is: a client that patches one status per object, one after the other. It says how fast this API
server is today, so that times can be read as ratios.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from benchmarks.operator_load.api_server import Object
from benchmarks.operator_load.figures import Figure, at_most, below, none_of, plain
from benchmarks.operator_load.processor_waits import ProcessorWaits
from benchmarks.operator_load.replica import Replica, seconds_to_import
from benchmarks.operator_load.stage import (
    Stage,
    renewals_of,
    simulated_model,
    simulated_runtime,
    writes_of,
)
from benchmarks.operator_load.waiting import PATIENCE_SECONDS, wait_until
from local_cluster.audit_log import AuditEvent

PLURAL = "avatarmodels"
WRITES_BEFORE = 6.0
"""API writes in the life of a model, from its creation to Ready, before there were two replicas and an outbox: three of
its status, one of its finalizer, two Events."""
START_SECONDS = 10.0
MEMORY_MEBIBYTES = 200.0
PAUSE_MILLISECONDS = 200.0
IDLE_SWEEP_SECONDS = 20
"""Fifteen times as often as it is by default: a minute and a half shows what twenty would."""
PATIENCE_SECONDS_A_MODEL = 0.3


def measure_crowd(stage: Stage, models: int, idle_seconds: float) -> Iterator[Figure]:
    """Measure; figures come as they are known."""
    bodies = [simulated_model(f"person-{number:05}") for number in range(models)]
    peer_seconds = _time_peer(stage, bodies)
    stage.api.create("avatarruntimes", simulated_runtime(training_seconds=1))
    replica = stage.replica()
    replica.start()
    with ProcessorWaits(replica.pid) as waits:
        replica.wait_until_ready()
        stage.wait_for_runtime()
        yield from _measure_creation(stage, replica, bodies, peer_seconds)
        pause, memory = _longest_pause(replica), replica.peak_mebibytes()
    yield _pause_figure("the event loop's longest pause, start and creation", pause, waits)
    yield below("resident memory, its peak", memory, MEMORY_MEBIBYTES, "MiB")
    yield plain("hand-over: from SIGTERM to the end of the process", replica.stop(), "s", digits=2)
    replica = stage.replica(AVATAR_OPERATOR_SWEEP_SECONDS=str(IDLE_SWEEP_SECONDS))
    importing, since = seconds_to_import(), stage.cluster.audit_position()
    replica.start()
    with ProcessorWaits(replica.pid) as waits:
        yield from _measure_start(stage, replica, models, since, importing)
        yield from _measure_idleness(stage, replica, idle_seconds)
        pause, memory = _longest_pause(replica), replica.peak_mebibytes()
    yield _pause_figure("the event loop's longest pause, start and sweeps", pause, waits)
    yield below("resident memory, its peak", memory, MEMORY_MEBIBYTES, "MiB")
    yield from _measure_deletion(stage, replica, bodies)
    replica.stop()


def _time_peer(stage: Stage, bodies: Sequence[Object]) -> float:
    stage.api.create(PLURAL, *bodies)
    began = time.monotonic()
    for body in bodies:
        stage.api.patch_status(PLURAL, body, {"state": "Pending"})
    seconds = time.monotonic() - began
    stage.api.delete(PLURAL, bodies)
    _wait_until_gone(stage, bodies)
    return seconds


def _measure_creation(
    stage: Stage, replica: Replica, bodies: Sequence[Object], peer_seconds: float
) -> Iterator[Figure]:
    since, began = stage.cluster.audit_position(), time.monotonic()
    stage.api.create(PLURAL, *bodies)
    created = time.monotonic() - began

    def all_ready() -> bool:
        replica.require_running()
        return stage.api.all_in_state(PLURAL, "Ready")

    wait_until(all_ready, "every model ready", seconds=_patience(bodies), every=0.5)
    seconds = time.monotonic() - began
    wait_until(lambda: replica.metric("avatar_announcements_waiting") == 0, "the last of the news")
    writes = writes_of(replica.account, stage.cluster.audit_events(since))
    yield plain("created by eight clients in", created, "s")
    yield plain(
        "all Ready after",
        seconds,
        "s",
        peer=f"one status write each, by a plain client: {peer_seconds:.1f} s; {seconds / peer_seconds:.1f}",
    )
    yield at_most("API writes per object", len(writes) / len(bodies), WRITES_BEFORE, digits=2)
    for what, count in sorted(Counter(map(_kind_of_write, writes)).items()):
        yield plain(f"  {what}", count / len(bodies), digits=2)


def _measure_start(
    stage: Stage, replica: Replica, models: int, since: int, importing: float
) -> Iterator[Figure]:
    ready, used = replica.wait_until_ready(), replica.processor_seconds()
    peer = f"a process that only imports it: {importing:.1f} s; {ready / importing:.1f}"
    yield below(f"start over {models} objects: ready after", ready, START_SECONDS, "s", peer=peer)
    yield plain("  of that, processor time of its own", used, "s")
    wait_until(
        lambda: replica.metric("avatar_reconcile_total", kind="AvatarModel") >= models,
        "a look at every model",
    )
    looked = (datetime.now(UTC) - replica.started_at).total_seconds()
    taken = renewals_of(replica.account, stage.cluster.audit_events(since))[0].time - replica.started_at
    yield below("  leading after", taken.total_seconds(), START_SECONDS, "s")
    yield plain("  every object looked at after", looked, "s")


def _measure_idleness(stage: Stage, replica: Replica, seconds: float) -> Iterator[Figure]:
    wait_until(lambda: replica.metric("avatar_workqueue_depth") == 0, "an empty queue")
    since, used = stage.cluster.audit_position(), replica.processor_seconds()
    time.sleep(seconds)
    used = replica.processor_seconds() - used
    events = stage.cluster.audit_events(since)
    minutes = seconds / 60
    yield none_of(f"API writes in {minutes:.1f} idle minutes", len(writes_of(replica.account, events)))
    yield plain(
        "  renewals of the Lease a minute, apart", len(renewals_of(replica.account, events)) / minutes
    )
    yield plain(f"  share of a core, a sweep every {IDLE_SWEEP_SECONDS} s", 100 * used / seconds, "%")


def _measure_deletion(stage: Stage, replica: Replica, bodies: Sequence[Object]) -> Iterator[Figure]:
    since, began = stage.cluster.audit_position(), time.monotonic()
    stage.api.delete(PLURAL, bodies)
    _wait_until_gone(stage, bodies)
    yield plain("all deleted after", time.monotonic() - began, "s")
    writes = writes_of(replica.account, stage.cluster.audit_events(since))
    yield plain("API writes per deleted object", len(writes) / len(bodies), digits=2)


def _pause_figure(what: str, milliseconds: float, waits: ProcessorWaits) -> Figure:
    peer = 1000 * waits.longest_seconds
    ratio = f"its thread's wait for a processor: {peer:.0f} ms; {milliseconds / max(peer, 1):.1f}"
    return below(what, milliseconds, PAUSE_MILLISECONDS, "ms", digits=0, peer=ratio)


def _wait_until_gone(stage: Stage, bodies: Sequence[Object]) -> None:
    wait_until(
        lambda: stage.api.count(PLURAL) == 0, "the end of every model", seconds=_patience(bodies), every=0.5
    )


def _patience(bodies: Sequence[Object]) -> float:
    return PATIENCE_SECONDS + len(bodies) * PATIENCE_SECONDS_A_MODEL


def _longest_pause(replica: Replica) -> float:
    return 1000 * replica.metric("avatar_event_loop_longest_pause_seconds")


def _kind_of_write(event: AuditEvent) -> str:
    return f"{event.verb} {event.resource}{'/' + event.subresource if event.subresource else ''}"
