"""From SNS to the status, and what a thousand attempts in flight cost AWS's control plane.

Both on sagemaker_local with the stand-in worker, and one operator. The latency of an attempt begins when its
notification is published (the SentTimestamp of the same message in a queue of our own) and ends with the first write of
its status after that, as the API server's audit log dates it. Attempts come one a second: what is measured is the way,
not a queue. Workers say nothing of progress, so no other write is on the way.

A call to the control plane is any that sagemaker_local's log shows but an invocation. In flight means submitted, and
waiting in the endpoint's queue behind a training that takes its time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.operator_load.api_server import Object
from benchmarks.operator_load.figures import Figure, at_most, below, percentile, plain
from benchmarks.operator_load.replica import Replica
from benchmarks.operator_load.stage import NAMESPACE, Stage, writes_of
from benchmarks.operator_load.waiting import wait_until
from benchmarks.operator_load.witness import Notice, Witness
from e2e.flight import STAND_IN, Flight
from sagemaker_local.testing import LocalAws

PLURAL = "avatarmodels"
LATENCY_SECONDS = 2.0
CALLS_A_SECOND = 0.2
SECONDS_BETWEEN_ATTEMPTS = 1.0
SWEEP_SECONDS = 60
"""Five times as often as it is by default: a sweep asks for every outcome, and shall be in what is measured."""
PEER_POLLS_EVERY = 30
"""Seconds. An operator of the AWS Controllers for Kubernetes asks this often for every object that is not done."""
INVOCATIONS = ("InvokeEndpoint", "InvokeEndpointAsync")


def measure_latency(stage: Stage, attempts: int) -> Iterator[Figure]:
    """Measure how long a success takes from SNS to the status."""
    with LocalAws(images={"stand-in": STAND_IN}) as aws, _flying(stage, aws) as (flight, replica):
        since = stage.cluster.audit_position()
        with Witness(flight) as witness:
            for number in range(attempts):
                stage.api.create(PLURAL, _model(flight, number, "quiet"))
                time.sleep(SECONDS_BETWEEN_ATTEMPTS)
            wait_until(lambda: stage.api.all_in_state(PLURAL, "Ready"), "every model ready", every=0.5)
            wait_until(lambda: len(witness.notices) >= attempts, "the last notification")
        written = _status_writes(stage, replica, since)
        models = stage.api.objects(PLURAL)
    ours = [_seconds_to_status(model, witness.notices, written) for model in models]
    plain_client = [notice.received - notice.published for notice in witness.notices.values()]
    yield plain("attempts", len(ours), digits=0)
    yield plain(
        "SNS to status, p50", percentile(ours, 0.5), "s", digits=3, peer=_beside(ours, plain_client, 0.5)
    )
    yield below(
        "SNS to status, p95",
        percentile(ours, 0.95),
        LATENCY_SECONDS,
        "s",
        digits=3,
        peer=_beside(ours, plain_client, 0.95),
    )
    yield plain("SNS to status, worst", max(ours), "s", digits=3, peer=_beside(ours, plain_client, 1.0))


def measure_in_flight(stage: Stage, attempts: int, seconds: float) -> Iterator[Figure]:
    """Measure the calls that attempts in flight cause."""
    with LocalAws(images={"stand-in": STAND_IN}) as aws, _flying(stage, aws) as (flight, replica):
        began = time.monotonic()
        stage.api.create(PLURAL, *(_model(flight, number, "slow") for number in range(attempts)))
        wait_until(lambda: _submitted(stage) == attempts, "every attempt in flight", seconds=1200, every=3)
        yield plain(f"{attempts} attempts in flight after", time.monotonic() - began, "s")
        wait_until(lambda: replica.metric("avatar_announcements_waiting") == 0, "the last of the news")
        aws.forget_calls()
        asked = _outcomes_asked(replica)
        since = stage.cluster.audit_position()
        time.sleep(seconds)
        calls = Counter(call["api"] for call in aws.calls() if call["api"] not in INVOCATIONS)
        asked = _outcomes_asked(replica) - asked
        writes = writes_of(replica.account, stage.cluster.audit_events(since))
    polling = attempts / PEER_POLLS_EVERY
    yield plain("seconds watched", seconds, "s", digits=0)
    yield at_most(
        "calls to SageMaker's control plane",
        calls.total() / seconds,
        CALLS_A_SECOND,
        "/s",
        digits=3,
        peer=f"polling each every {PEER_POLLS_EVERY} s: {polling:.0f} /s; {calls.total() / seconds / polling:.4f}",
    )
    for api, count in calls.most_common():
        yield plain(f"  {api}", count / seconds, "/s", digits=3)
    yield plain(f"outcomes asked for in S3, a sweep every {SWEEP_SECONDS} s", asked / seconds, "/s")
    yield plain("API writes", len(writes) / seconds, "/s", digits=2)


@contextmanager
def _flying(stage: Stage, aws: LocalAws) -> Iterator[tuple[Flight, Replica]]:
    """A tenant whose endpoints are in service, and the operator that serves it."""
    flight = Flight(stage.cluster, NAMESPACE, aws)
    flight.upload_photos()
    stage.api.create("avatarruntimes", flight.runtime_manifest())
    replica = stage.replica(AVATAR_OPERATOR_SWEEP_SECONDS=str(SWEEP_SECONDS), **aws.environment)
    replica.start()
    replica.wait_until_ready()
    stage.wait_for_runtime()
    yield flight, replica
    replica.stop()


def _model(flight: Flight, number: int, word: str) -> Object:
    return flight.model_manifest(f"person-{number:04}", token=word)


def _status_writes(stage: Stage, replica: Replica, since: int) -> dict[str, list[float]]:
    """When each model's status was written, in seconds since 1970."""
    written: dict[str, list[float]] = {}
    for event in writes_of(replica.account, stage.cluster.audit_events(since)):
        if (event.resource, event.subresource) == (PLURAL, "status"):
            written.setdefault(event.name, []).append(event.time.timestamp())
    return written


def _seconds_to_status(
    model: Object, notices: Mapping[str, Notice], written: Mapping[str, list[float]]
) -> float:
    published = notices[model["status"]["training"]["inferenceId"]].published
    return min(at for at in written[model["metadata"]["name"]] if at >= published) - published


def _beside(ours: list[float], peer: list[float], share: float) -> str:
    mine, theirs = percentile(ours, share), percentile(peer, share)
    return f"a client that only reads: {theirs:.3f} s; {mine / max(theirs, 0.001):.1f}"


def _submitted(stage: Stage) -> int:
    return sum(
        "submittedTime" in model.get("status", {}).get("training", {}) for model in stage.api.objects(PLURAL)
    )


def _outcomes_asked(replica: Replica) -> float:
    return replica.metric("avatar_backend_requests_total", op="attempt_outcome")
