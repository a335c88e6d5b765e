"""What Prometheus learns of a backend."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from avatar_operator.backends.base import Backend, BackendError, EndpointsFacts
from avatar_operator.backends.metered import BackendMetrics, MeteredBackend, TokensAvailable
from avatar_operator.backends.simulated import SimulatedBackend
from builders.backend_objects import StoppedClock, make_simulated_runtime


class FailingBackend(SimulatedBackend):
    """Fails as told."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(StoppedClock())
        self._error = error

    async def ensure_endpoints(self, runtime: Any) -> EndpointsFacts:
        raise self._error


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


async def ensure(registry: CollectorRegistry, backend: Backend) -> None:
    metered = MeteredBackend(backend, "simulated", BackendMetrics(registry))
    await metered.ensure_endpoints(make_simulated_runtime())


def count(registry: CollectorRegistry, code: str) -> float | None:
    labels = {"backend": "simulated", "op": "ensure_endpoints", "code": code}
    return registry.get_sample_value("avatar_backend_requests_total", labels)


async def test_a_success_is_counted_and_timed(registry: CollectorRegistry) -> None:
    await ensure(registry, SimulatedBackend(StoppedClock()))
    assert count(registry, "OK") == 1
    timed = registry.get_sample_value(
        "avatar_backend_request_duration_seconds_count", {"backend": "simulated", "op": "ensure_endpoints"}
    )
    assert timed == 1


async def test_a_failure_is_counted_by_its_reason_and_raised(registry: CollectorRegistry) -> None:
    with pytest.raises(BackendError):
        await ensure(registry, FailingBackend(BackendError("AccessDenied", "no", retryable=True)))
    assert count(registry, "AccessDenied") == 1


async def test_throttling_has_a_counter_of_its_own(registry: CollectorRegistry) -> None:
    with pytest.raises(BackendError):
        await ensure(registry, FailingBackend(BackendError("Throttled", "slower", retryable=True)))
    labels = {"backend": "simulated", "op": "ensure_endpoints"}
    assert registry.get_sample_value("avatar_backend_throttled_total", labels) == 1


@pytest.mark.parametrize(
    ("error", "code"), [(ZeroDivisionError(), "UnexpectedError"), (asyncio.CancelledError(), "Cancelled")]
)
async def test_what_is_no_backend_error_is_counted_too(
    registry: CollectorRegistry, error: BaseException, code: str
) -> None:
    with pytest.raises(type(error)):
        await ensure(registry, FailingBackend(error))
    assert count(registry, code) == 1


def test_tokens_are_published_by_operation(registry: CollectorRegistry) -> None:
    registry.register(TokensAvailable(lambda: {"ListModels": -2.0}))
    assert registry.get_sample_value("avatar_backend_tokens_available", {"op": "ListModels"}) == -2.0
