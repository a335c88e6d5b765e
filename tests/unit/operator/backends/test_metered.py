"""What Prometheus learns of a backend."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.documents.training import ProgressDestination
from avatar_operator.backends.compute import Compute, HintSource
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.metered import BackendMetrics, TokensAvailable, metered
from avatar_operator.backends.selection import Backend
from avatar_operator.backends.storage import Storage
from avatar_operator.ingest.messages import OnHint
from builders.backend import ScriptedBackend
from builders.backend_objects import make_simulated_runtime

VERBS = [
    (port, name)
    for port in (Storage, Compute)
    for name, verb in vars(port).items()
    if inspect.iscoroutinefunction(verb)
]


class Answering:
    """Both ports: every verb gives, or raises, the same."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.arguments: tuple[Any, ...] = ()

    def __getattr__(self, verb: str) -> Any:
        async def answered(*arguments: Any, **named: Any) -> Any:
            self.arguments = (*arguments, *named.values())
            if isinstance(self.answer, BaseException):
                raise self.answer
            return self.answer

        return answered


class Silence:
    """A source of hints that tells nothing."""

    async def run(self, on_hint: OnHint) -> None:
        """See HintSource."""


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


async def ensure(registry: CollectorRegistry, answer: object) -> None:
    works: Any = Answering(answer)
    backend = metered(Backend(works, works), "simulated", BackendMetrics(registry))
    await backend.compute.ensure_endpoints(make_simulated_runtime())


def count(registry: CollectorRegistry, code: str, verb: str = "ensure_endpoints") -> float | None:
    labels = {"backend": "simulated", "op": verb, "code": code}
    return registry.get_sample_value("avatar_backend_requests_total", labels)


async def test_a_success_is_counted_and_timed(registry: CollectorRegistry) -> None:
    await ensure(registry, None)
    assert count(registry, "OK") == 1
    timed = registry.get_sample_value(
        "avatar_backend_request_duration_seconds_count", {"backend": "simulated", "op": "ensure_endpoints"}
    )
    assert timed == 1


@pytest.mark.parametrize("verb", [verb for _, verb in VERBS])
def test_every_verb_has_its_series_before_it_is_used(registry: CollectorRegistry, verb: str) -> None:
    works: Any = Answering(None)
    metered(Backend(works, works), "simulated", BackendMetrics(registry))

    of_verb = {"backend": "simulated", "op": verb}
    for code in ("OK", "Cancelled", "UnexpectedError"):
        assert count(registry, code, verb) == 0
    assert registry.get_sample_value("avatar_backend_request_duration_seconds_count", of_verb) == 0
    assert registry.get_sample_value("avatar_backend_throttled_total", of_verb) == 0


@pytest.mark.parametrize(("port", "verb"), VERBS, ids=[f"{port.__name__}.{verb}" for port, verb in VERBS])
async def test_every_verb_is_passed_on_as_it_is_and_counted_under_its_name(
    registry: CollectorRegistry, port: type, verb: str
) -> None:
    works: Any = Answering("the answer")
    backend = metered(Backend(works, works), "simulated", BackendMetrics(registry))
    counted = getattr(backend.storage if port is Storage else backend.compute, verb)
    given = {name: object() for name in inspect.signature(counted).parameters}
    answer = await counted(**given)
    # A verb that returns nothing has nothing to pass on.
    assert answer in ("the answer", None)
    assert works.arguments == tuple(given.values())
    assert count(registry, "OK", verb) == 1


def test_what_is_pure_is_passed_on_uncounted(registry: CollectorRegistry) -> None:
    scripted = ScriptedBackend()
    queue = ProgressDestination(queue_url="https://queue")
    sources: frozenset[HintSource] = frozenset({Silence()})
    scripted.script("hint_sources", sources)
    scripted.script("progress_destination", queue)
    compute = metered(Backend(scripted, scripted), "simulated", BackendMetrics(registry)).compute
    runtime = make_simulated_runtime()
    assert compute.hint_sources(runtime) == sources
    assert compute.progress_destination(runtime) == queue
    assert count(registry, "OK", "hint_sources") is None


async def test_a_failure_is_counted_by_its_reason_and_raised(registry: CollectorRegistry) -> None:
    with pytest.raises(BackendError):
        await ensure(registry, BackendError("AccessDenied", "no", retryable=True))
    assert count(registry, "AccessDenied") == 1


async def test_throttling_has_a_counter_of_its_own(registry: CollectorRegistry) -> None:
    with pytest.raises(BackendError):
        await ensure(registry, BackendError("Throttled", "slower", retryable=True))
    labels = {"backend": "simulated", "op": "ensure_endpoints"}
    assert registry.get_sample_value("avatar_backend_throttled_total", labels) == 1


@pytest.mark.parametrize(
    ("error", "code"), [(ZeroDivisionError(), "UnexpectedError"), (asyncio.CancelledError(), "Cancelled")]
)
async def test_what_is_no_backend_error_is_counted_too(
    registry: CollectorRegistry, error: BaseException, code: str
) -> None:
    with pytest.raises(type(error)):
        await ensure(registry, error)
    assert count(registry, code) == 1


def test_tokens_are_published_by_operation(registry: CollectorRegistry) -> None:
    registry.register(TokensAvailable(lambda: {"ListModels": -2.0}))
    assert registry.get_sample_value("avatar_backend_tokens_available", {"op": "ListModels"}) == -2.0
