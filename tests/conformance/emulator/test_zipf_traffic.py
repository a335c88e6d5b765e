"""Five hundred models behind a cache that holds twenty, asked for as real users are: a few often, most seldom (issue 5, 4)."""

from __future__ import annotations

import io
import json
import random
import tarfile
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from sagemaker_local.testing import LocalAws

MODELS = 500
SLOTS = 20
MODELS_ON_DISK = 150
MODEL_BYTES = 64
WORKERS = 8
MIB = 1 << 20

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="leaks are looked for in /proc")


@dataclass(frozen=True)
class Usage:
    """What a process holds."""

    threads: int
    open_files: int
    resident_bytes: int
    children: frozenset[int]


class Deployment:
    """A server with 500 models in S3, and endpoints over them."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self._config = Config(
            retries={"total_max_attempts": 1}, max_pool_connections=WORKERS, parameter_validation=False
        )
        s3 = aws.client("s3", self._config)
        s3.create_bucket(Bucket="models")
        for number in range(MODELS):
            s3.put_object(Bucket="models", Key=f"live/{number}.tar.gz", Body=archive(text_of(number)))
        s3.close()

    def endpoint(self, name: str) -> str:
        """A multi-model endpoint in service, with nothing loaded."""
        sagemaker = self.aws.client("sagemaker", self._config)
        sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={
                "Image": "trivial",
                "Mode": "MultiModel",
                "ModelDataUrl": "s3://models/live/",
                "Environment": {"SLOTS": str(SLOTS)},
            },
            ExecutionRoleArn="arn:aws:iam::123456789012:role/conformance",
        )
        variant = {
            "VariantName": "v",
            "ModelName": name,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
        sagemaker.close()
        return name

    def ask(self, endpoint: str, numbers: Sequence[int], workers: int = 1) -> list[dict[str, Any]]:
        """Invoke these models and return what their container said, in the same order; no connection stays open."""
        runtime = self.aws.client("sagemaker-runtime", self._config)

        def one(number: int) -> dict[str, Any]:
            answer = runtime.invoke_endpoint(EndpointName=endpoint, TargetModel=f"{number}.tar.gz", Body=b"?")
            told: dict[str, Any] = json.loads(answer["Body"].read())
            return told

        with ThreadPoolExecutor(workers) as pool:
            told = list(pool.map(one, numbers))
        runtime.close()
        return told

    def cache_hits(self, endpoint: str) -> tuple[float, float]:
        """What CloudWatch knows: how many invocations there were, and how many found their model in memory."""
        now = datetime.now(UTC)
        points = self.aws.client("cloudwatch", self._config).get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="ModelCacheHit",
            Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "v"}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=86_400,
            Statistics=["SampleCount", "Sum"],
        )["Datapoints"]
        return (points[0]["SampleCount"], points[0]["Sum"]) if points else (0, 0)


@pytest.fixture(scope="module")
def deployment(container: list[str]) -> Iterator[Deployment]:
    with LocalAws(images={"trivial": container}, disk_budget=MODELS_ON_DISK * MODEL_BYTES) as aws:
        yield Deployment(aws)


def test_the_hit_ratio_equals_an_lru_computed_on_paper(deployment: Deployment) -> None:
    numbers = zipf(600, seed=1)
    told = deployment.ask(deployment.endpoint("sequential"), numbers)
    assert [each["text"] for each in told] == [text_of(number) for number in numbers]
    loads = lru_on_paper(numbers)
    assert told[-1]["loads"] == loads
    hits = len(numbers) - sum(loads.values())
    until(lambda: deployment.cache_hits("sequential") == (len(numbers), hits))


def test_thousands_of_concurrent_invocations_get_their_own_model_and_leave_nothing_behind(
    deployment: Deployment,
) -> None:
    endpoint = deployment.endpoint("concurrent")
    deployment.ask(endpoint, zipf(200, seed=2), WORKERS)
    (instance,) = deployment.aws.instances(endpoint)
    server, container = deployment.aws.pid, instance["pid"]
    before, before_in_container = usage(server), usage(container)

    numbers = zipf(1_200, seed=3)
    told = deployment.ask(endpoint, numbers, WORKERS)
    assert [each["text"] for each in told] == [text_of(number) for number in numbers]
    assert max(each["loaded"] for each in told) <= SLOTS

    # One connection to S3 for each load at a time may have been added to the pool: a thread and two sockets each.
    until(lambda: usage(server).threads <= before.threads + WORKERS)
    until(lambda: usage(server).open_files <= before.open_files + 2 * WORKERS)
    until(lambda: usage(container).threads <= before_in_container.threads)
    after = usage(server)
    assert after.children == before.children
    assert after.resident_bytes - before.resident_bytes < 16 * MIB
    assert usage(container).resident_bytes - before_in_container.resident_bytes < 8 * MIB
    directory = Path(instance["directory"])
    assert len(list((directory / "models").iterdir())) <= MODELS_ON_DISK
    assert list((directory / "tmp").iterdir()) == []


def text_of(number: int) -> str:
    return f"model {number} ".ljust(MODEL_BYTES, ".")


def archive(text: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        member = tarfile.TarInfo("model.txt")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def zipf(count: int, seed: int) -> list[int]:
    """Model numbers, the n-th most popular one drawn with a weight of 1/n."""
    return random.Random(seed).choices(range(MODELS), [1 / rank for rank in range(1, MODELS + 1)], k=count)


def lru_on_paper(numbers: Sequence[int]) -> dict[str, int]:
    """How often each model is loaded by a cache of `SLOTS` places that gives up the least recently used."""
    cache: OrderedDict[int, None] = OrderedDict()
    loads: Counter[str] = Counter()
    for number in numbers:
        if number not in cache:
            loads[text_of(number)] += 1
            if len(cache) == SLOTS:
                cache.popitem(last=False)
        cache[number] = None
        cache.move_to_end(number)
    return dict(loads)


def usage(pid: int) -> Usage:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    children: set[int] = set()
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        # A thread may end while one looks.
        with suppress(FileNotFoundError, ProcessLookupError):
            children.update(int(child) for child in listed.read_text().split())
    return Usage(
        threads=int(status["Threads"]),
        open_files=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        resident_bytes=int(status["VmRSS"].split()[0]) * 1024,
        children=frozenset(children),
    )


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; fails the test when it does not come."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)
