"""Rates that we keep to by ourselves, one token bucket for each throttled API.

AWS throttles an account, not a client: an operator that bursts takes the quota away from everybody else, and adaptive
retries only react once the damage is done. SageMaker's control plane is tight (lists allow about two calls a second,
and that quota cannot be raised: aws-solutions/deepracer-on-aws issue 87). AWS publishes no figures for most of its
other operations, so these are our own cautious choice: well above what a quiet operator needs, well below where
accounts are throttled. The buckets belong to one process; two replicas never work at the same time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """Calls per second, sustained, and how many may come at once."""

    per_second: float
    burst: int


DEFAULT_RATES: Mapping[str, Rate] = {
    "DescribeEndpoint": Rate(5, 10),
    "DescribeEndpointConfig": Rate(5, 10),
    "ListEndpointConfigs": Rate(2, 4),
    "ListModels": Rate(2, 4),
    "ListTags": Rate(2, 4),
    "CreateModel": Rate(1, 4),
    "CreateEndpointConfig": Rate(1, 4),
    "CreateEndpoint": Rate(1, 4),
    "UpdateEndpoint": Rate(1, 4),
    "DeleteModel": Rate(2, 4),
    "DeleteEndpointConfig": Rate(2, 4),
    "DeleteEndpoint": Rate(1, 4),
    "UpdateEndpointWeightsAndCapacities": Rate(1, 4),
    "DescribeScalableTargets": Rate(2, 4),
    "DescribeScalingPolicies": Rate(2, 4),
    "RegisterScalableTarget": Rate(1, 4),
    "DeregisterScalableTarget": Rate(1, 4),
    "PutScalingPolicy": Rate(1, 4),
    "DeleteScalingPolicy": Rate(1, 4),
    "DescribeAlarms": Rate(2, 4),
    "PutMetricAlarm": Rate(1, 4),
    "DeleteAlarms": Rate(1, 4),
    "InvokeEndpointAsync": Rate(20, 40),
    "InvokeEndpoint": Rate(50, 100),
    "Publish": Rate(50, 100),
    "AssumeRole": Rate(50, 100),
}
"""Rates by operation. S3 is not here: it scales by prefix, and its limits are thousands a second."""


class TokenBucket:
    """Tokens that come back at a steady rate. Whoever takes one that is not there yet waits for it, in order.

    Args:
        rate: how fast tokens come back, and how many are there at most.
        monotonic: seconds on a clock that never goes back.
        sleep: waits for some seconds.
    """

    def __init__(
        self,
        rate: Rate,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._sleep = sleep
        self._tokens = float(rate.burst)
        self._refilled = monotonic()

    def available(self) -> float:
        """Tokens there are now; negative while somebody waits."""
        now = self._monotonic()
        self._tokens = min(
            float(self._rate.burst), self._tokens + (now - self._refilled) * self._rate.per_second
        )
        self._refilled = now
        return self._tokens

    async def take(self) -> None:
        """Take one token, waiting until there is one. Who gives up waiting gives the token back."""
        tokens = self.available() - 1
        self._tokens = tokens
        if tokens >= 0:
            return
        try:
            await self._sleep(-tokens / self._rate.per_second)
        except asyncio.CancelledError:
            self._tokens += 1
            raise


class Throttles:
    """The token buckets of a process, by region and operation. Operations without a rate are not held back."""

    def __init__(self, rates: Mapping[str, Rate] = DEFAULT_RATES) -> None:
        self._rates = rates
        self._buckets: dict[tuple[str, str], TokenBucket] = {}

    async def take(self, region: str, operation: str) -> None:
        """Wait until an operation may be called in a region."""
        rate = self._rates.get(operation)
        if rate is not None:
            await self._buckets.setdefault((region, operation), TokenBucket(rate)).take()

    def available(self) -> Mapping[str, float]:
        """Tokens that are left, by operation: the least of all regions. For metrics."""
        least: dict[str, float] = {}
        for (_, operation), bucket in self._buckets.items():
            tokens = bucket.available()
            least[operation] = min(tokens, least.get(operation, tokens))
        return least
