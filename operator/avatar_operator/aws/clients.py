"""boto3 without blocking: clients by region, and the threads that their calls run in.

boto3 is synchronous, so every call runs in a thread of ours, never in asyncio's default executor. There are two bounded
pools: invocations hold a thread for up to 70 seconds each, and must not keep a claim or a listing waiting.

Retries differ by what a repetition costs. S3, SageMaker's control plane and SNS retry adaptively. The runtime
(InvokeEndpoint, InvokeEndpointAsync) makes exactly one attempt: a repeated InvokeEndpointAsync trains and bills twice,
and a repeated InvokeEndpoint draws for a caller who is told about it too late. The reconciler repeats those, knowingly.

Errors are botocore's own here; `aws.errors` translates them where it is known what they mean.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

import boto3
from botocore.config import Config

from avatar_operator.aws.throttling import Throttles

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sns import SNSClient

T = TypeVar("T")

CONNECT_TIMEOUT = 5
READ_TIMEOUT = 30
INVOCATION_READ_TIMEOUT = 70
"""InvokeEndpoint answers within 60 seconds; AWS advises 70 (SageMaker Developer Guide, "Invoke a multi-model endpoint")."""
MAX_ATTEMPTS = 5


class AwsClients:
    """All the AWS clients of the operator, made when first used.

    Args:
        endpoint_url: one URL for every service, for an emulator; None leaves it to the environment
            (AWS_ENDPOINT_URL) and to AWS.
        threads: how many short calls run at once.
        invocation_threads: how many InvokeEndpoint calls run at once.
        throttles: the rates to keep to.
    """

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        threads: int = 16,
        invocation_threads: int = 16,
        throttles: Throttles | None = None,
    ) -> None:
        self.throttles = throttles or Throttles()
        self._endpoint_url = endpoint_url
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="aws")
        self._invocations = ThreadPoolExecutor(invocation_threads, thread_name_prefix="aws-invocation")
        retrying = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "adaptive", "total_max_attempts": MAX_ATTEMPTS},
            max_pool_connections=threads,
        )
        self._configs: Mapping[str, Config] = {
            "s3": retrying,
            "sagemaker": retrying,
            "sns": retrying,
            "sagemaker-runtime": Config(
                connect_timeout=CONNECT_TIMEOUT,
                read_timeout=INVOCATION_READ_TIMEOUT,
                retries={"mode": "standard", "total_max_attempts": 1},
                max_pool_connections=threads + invocation_threads,
            ),
        }
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    async def s3(self, region: str, call: Callable[["S3Client"], T]) -> T:
        """Run a call of S3's client in a thread. Raises what botocore raises."""
        return await self._run(self._executor, lambda: call(cast("S3Client", self._client("s3", region))))

    async def sagemaker(self, region: str, operation: str, call: Callable[["SageMakerClient"], T]) -> T:
        """Run a call of SageMaker's control plane in a thread, at the rate of its operation."""
        await self.throttles.take(region, operation)
        return await self._run(
            self._executor, lambda: call(cast("SageMakerClient", self._client("sagemaker", region)))
        )

    async def sns(self, region: str, operation: str, call: Callable[["SNSClient"], T]) -> T:
        """Run a call of SNS's client in a thread, at the rate of its operation."""
        await self.throttles.take(region, operation)
        return await self._run(self._executor, lambda: call(cast("SNSClient", self._client("sns", region))))

    async def submission(self, region: str, call: Callable[["SageMakerRuntimeClient"], T]) -> T:
        """Run one InvokeEndpointAsync in a thread. Never repeated."""
        await self.throttles.take(region, "InvokeEndpointAsync")
        return await self._run(self._executor, lambda: call(self._runtime(region)))

    async def invocation(self, region: str, call: Callable[["SageMakerRuntimeClient"], T]) -> T:
        """Run one InvokeEndpoint in a thread of its own pool. Never repeated."""
        await self.throttles.take(region, "InvokeEndpoint")
        return await self._run(self._invocations, lambda: call(self._runtime(region)))

    def close(self) -> None:
        """Start nothing more and let go of the connections. Calls under way end by their time-outs."""
        for executor in (self._executor, self._invocations):
            executor.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _runtime(self, region: str) -> "SageMakerRuntimeClient":
        return cast("SageMakerRuntimeClient", self._client("sagemaker-runtime", region))

    def _client(self, service: str, region: str) -> Any:
        # boto3 sessions are not thread-safe, their clients are; making one costs about 0.1 s, so not on the event loop.
        with self._lock:
            client = self._clients.get((service, region))
            if client is None:
                client = boto3.session.Session().client(  # type: ignore[call-overload]
                    service,
                    region_name=region,
                    endpoint_url=self._endpoint_url,
                    config=self._configs[service],
                )
                self._clients[(service, region)] = client
            return client

    @staticmethod
    async def _run(executor: Executor, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, call)
