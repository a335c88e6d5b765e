"""boto3 without blocking: clients by region, and the threads that their calls run in.

boto3 is synchronous, so every call runs in a thread of ours, never in asyncio's default executor. There are two bounded
pools: drawing holds a thread for up to 70 seconds a call, and must not keep a claim or a listing waiting. Each pool has
its own connections, as many as it has threads, and in each of them tenants take turns (`fair_threads`).

Retries differ by what a repetition costs. S3, SageMaker's control plane and SNS repeat a few times, within seconds, and
leave patience to the reconciler. They do so in the standard mode: the adaptive one slows down all calls of a client as
soon as one is throttled, so one hot prefix of one bucket stalled every claim and listing for half a minute. The runtime
(InvokeEndpoint, InvokeEndpointAsync) makes exactly one attempt: a repeated InvokeEndpointAsync trains and bills twice,
and a repeated InvokeEndpoint draws for a caller who is told about it too late. The reconciler repeats those, knowingly.

Errors are botocore's own here; `aws.errors` translates them where it is known what they mean.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import boto3
from botocore.config import Config

from avatar_operator.aws.fair_threads import FairThreads
from avatar_operator.aws.renewable_client import RenewableClient
from avatar_operator.aws.throttling import Throttles

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sns import SNSClient

T = TypeVar("T")

CONNECT_TIMEOUT = 5
READ_TIMEOUT = 30
INVOCATION_READ_TIMEOUT = 70
"""InvokeEndpoint answers within 60 seconds; AWS advises 70 (SageMaker Developer Guide, "Invoke a multi-model endpoint")."""
MAX_ATTEMPTS = 3
"""The first repetition comes within a second, the second within two more."""
Use = Literal["s3", "sagemaker", "autoscaling", "cloudwatch", "sns", "sts", "submission", "drawing"]


@dataclass(frozen=True)
class _Purpose:
    service: str
    config: Config


class AwsClients:
    """All the AWS clients of the operator, made when first used.

    Args:
        endpoint_url: one URL for every service, for an emulator; None leaves it to the environment
            (AWS_ENDPOINT_URL) and to AWS.
        threads: how many short calls run at once: what models and runtimes are worked on with.
        drawing_threads: how many InvokeEndpoint calls run at once: what requests are worked on with.
        throttles: the rates to keep to.
        before_send: called in the calling thread right before every request goes out, repetitions too; if it raises, the
            request is not sent.
    """

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        threads: int = 16,
        drawing_threads: int = 16,
        throttles: Throttles | None = None,
        before_send: Callable[[], None] = lambda: None,
    ) -> None:
        self.before_send = before_send
        self.throttles = throttles or Throttles()
        self._endpoint_url = endpoint_url
        self._short_calls = FairThreads(threads, "aws")
        self._drawing = FairThreads(drawing_threads, "aws-drawing")
        repeating = _config(READ_TIMEOUT, attempts=MAX_ATTEMPTS, connections=threads)
        once = _config(INVOCATION_READ_TIMEOUT, attempts=1, connections=threads)
        drawing = _config(INVOCATION_READ_TIMEOUT, attempts=1, connections=drawing_threads)
        self._purposes: Mapping[Use, _Purpose] = {
            "s3": _Purpose("s3", repeating),
            "sagemaker": _Purpose("sagemaker", repeating),
            "autoscaling": _Purpose("application-autoscaling", repeating),
            "cloudwatch": _Purpose("cloudwatch", repeating),
            "sns": _Purpose("sns", repeating),
            "sts": _Purpose("sts", repeating),
            "submission": _Purpose("sagemaker-runtime", once),
            "drawing": _Purpose("sagemaker-runtime", drawing),
        }
        self._lock = threading.Lock()
        self._clients: dict[tuple[Use, str], RenewableClient[Any]] = {}

    async def s3(self, region: str, call: Callable[["S3Client"], T]) -> T:
        """Run a call of S3's client in a thread. Raises what botocore raises."""
        return await self._run("s3", region, lambda client: call(cast("S3Client", client)))

    async def sagemaker(self, region: str, operation: str, call: Callable[["SageMakerClient"], T]) -> T:
        """Run a call of SageMaker's control plane in a thread, at the rate of its operation."""
        await self.throttles.take(region, operation)
        return await self._run("sagemaker", region, lambda client: call(cast("SageMakerClient", client)))

    async def autoscaling(self, region: str, operation: str, call: Callable[[Any], T]) -> T:
        """Run a call of Application Auto Scaling's client in a thread, at the rate of its operation."""
        await self.throttles.take(region, operation)
        return await self._run("autoscaling", region, call)

    async def cloudwatch(self, region: str, operation: str, call: Callable[["CloudWatchClient"], T]) -> T:
        """Run a call of CloudWatch's client in a thread, at the rate of its operation."""
        await self.throttles.take(region, operation)
        return await self._run("cloudwatch", region, lambda client: call(cast("CloudWatchClient", client)))

    async def sns(self, region: str, operation: str, call: Callable[["SNSClient"], T]) -> T:
        """Run a call of SNS's client in a thread, at the rate of its operation."""
        await self.throttles.take(region, operation)
        return await self._run("sns", region, lambda client: call(cast("SNSClient", client)))

    async def sts(self, region: str, operation: str, call: Callable[[Any], T]) -> T:
        """Run a call of STS's client in a thread, at the rate of its operation."""
        await self.throttles.take(region, operation)
        return await self._run("sts", region, call)

    async def submission(self, region: str, call: Callable[["SageMakerRuntimeClient"], T]) -> T:
        """Run one InvokeEndpointAsync in a thread. Never repeated."""
        await self.throttles.take(region, "InvokeEndpointAsync")
        return await self._run(
            "submission", region, lambda client: call(cast("SageMakerRuntimeClient", client))
        )

    async def invocation(self, region: str, call: Callable[["SageMakerRuntimeClient"], T]) -> T:
        """Run one InvokeEndpoint in a thread of drawing's own pool. Never repeated."""
        await self.throttles.take(region, "InvokeEndpoint")
        return await self._run("drawing", region, lambda client: call(cast("SageMakerRuntimeClient", client)))

    def close(self) -> None:
        """Start nothing more and let go of the connections. Calls under way end by their time-outs."""
        for threads in (self._short_calls, self._drawing):
            threads.close()
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    async def _run(self, use: Use, region: str, call: Callable[[Any], T]) -> T:
        threads = self._drawing if use == "drawing" else self._short_calls
        return await threads.run(lambda: self._client(use, region).call(call))

    def _client(self, use: Use, region: str) -> RenewableClient[Any]:
        with self._lock:
            return self._clients.setdefault(
                (use, region), RenewableClient(lambda: self._make(self._purposes[use], region))
            )

    def _make(self, purpose: _Purpose, region: str) -> Any:
        client = boto3.session.Session().client(  # type: ignore[call-overload]
            purpose.service,
            region_name=region,
            endpoint_url=self._endpoint_url,
            config=purpose.config,
        )
        client.meta.events.register("before-send", lambda **_: self.before_send())
        return client


def _config(read_timeout: int, *, attempts: int, connections: int) -> Config:
    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=connections,
    )
