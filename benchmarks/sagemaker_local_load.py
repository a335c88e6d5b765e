"""What sagemaker-local costs: `make bench-sagemaker-local`.

One run, four measures, with the trivial container of the conformance suite:

- synchronous latency through InvokeEndpoint and, in turn with it on the same machine in the same minute, by calling the same
  container's /invocations directly; the ratio is what the detour costs, the container and the machine cancel out.
  Both sides use one kept-open connection each and the same HTTP client, so that neither carries an SDK.
- asynchronous invocations per second, from the first 202 to the last output object, over four instances and 16 clients.
- the time from starting the command to its URL, with its peer: how long this Python takes to import moto's server alone.
- the share of one core that the server and its ten endpoints' instances take while nothing is asked of them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from botocore.config import Config
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from sagemaker_local.testing import LocalAws, environment_without_aws

CONTAINER = Path(__file__).resolve().parents[1] / "tests" / "conformance" / "trivial_container.py"
ROLE = "arn:aws:iam::123456789012:role/bench"
BUCKET = "bench-bucket"
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sagemaker/aws4_request"}
CLIENTS = 16
TICKS_A_SECOND = float(os.sysconf("SC_CLK_TCK"))


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="Measure sagemaker-local.")
    parser.add_argument("--calls", type=int, default=1000, help="synchronous calls each way [1000]")
    parser.add_argument("--invocations", type=int, default=500, help="asynchronous invocations [500]")
    parser.add_argument("--idle-seconds", type=float, default=20.0, help="how long to watch it idle [20]")
    arguments = parser.parse_args()
    table = Table("measure", "value", "peer", "ratio", title="sagemaker-local")
    with Progress(console=Console(stderr=True)) as progress:
        steps = progress.add_task("measuring", total=4)
        for measure in (_start_up, _synchronous, _asynchronous, _idle):
            progress.update(steps, description=measure.__name__.strip("_").replace("_", " "))
            for row in measure(arguments):
                table.add_row(*row)
            progress.advance(steps)
    Console().print(table)


def _start_up(arguments: argparse.Namespace) -> list[tuple[str, str, str, str]]:
    import_moto = "import moto.server, moto.moto_server.werkzeug_app"
    ours, peer = [], []
    for _ in range(3):
        began = time.monotonic()
        with _server():
            ours.append(time.monotonic() - began)
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", import_moto], check=True, env=environment_without_aws())
        peer.append(time.monotonic() - began)
    mine, theirs = statistics.median(ours), statistics.median(peer)
    return [
        ("start-up, median of 3", f"{mine:.2f} s", f"importing moto: {theirs:.2f} s", f"{mine / theirs:.2f}")
    ]


def _synchronous(arguments: argparse.Namespace) -> list[tuple[str, str, str, str]]:
    with _server() as aws:
        name = _deploy(aws, "sync", 1)
        port = aws.instances(name)[0]["port"]
        through = f"{aws.endpoint_url}/endpoints/{name}/invocations"
        direct = f"http://127.0.0.1:{port}/invocations"
        taken: dict[str, list[float]] = {through: [], direct: []}
        with httpx.Client(trust_env=False, timeout=60, headers=SIGNED) as client:
            for number in range(arguments.calls + 50):
                for url in (through, direct):
                    began = time.perf_counter()
                    client.post(url, content=b"x" * 1000).raise_for_status()
                    if number >= 50:
                        taken[url].append((time.perf_counter() - began) * 1000)
    rows = []
    for label, position in (("p50", 49), ("p99", 98)):
        mine, theirs = (statistics.quantiles(taken[url], n=100)[position] for url in (through, direct))
        rows.append(
            (
                f"InvokeEndpoint, {label}",
                f"{mine:.2f} ms (added {mine - theirs:.2f} ms)",
                f"container alone: {theirs:.2f} ms",
                f"{mine / theirs:.2f}",
            )
        )
    return rows


def _asynchronous(arguments: argparse.Namespace) -> list[tuple[str, str, str, str]]:
    with _server() as aws:
        name = _deploy(aws, "async", 4, asynchronous=True)
        config = Config(max_pool_connections=CLIENTS)
        runtime, s3 = aws.client("sagemaker-runtime", config), aws.client("s3", config)
        s3.put_object(Bucket=BUCKET, Key="in", Body=b"x" * 1000)

        def invoke(_: int) -> None:
            runtime.invoke_endpoint_async(EndpointName=name, InputLocation=f"s3://{BUCKET}/in")

        began = time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(invoke, range(arguments.invocations)))
        accepted = time.monotonic() - began
        while _outputs(s3) < arguments.invocations:
            time.sleep(0.05)
        taken = time.monotonic() - began
    return [
        (
            f"{arguments.invocations} asynchronous invocations",
            f"{arguments.invocations / taken:.0f} /s to their outputs",
            f"accepted: {arguments.invocations / accepted:.0f} /s",
            "",
        )
    ]


def _idle(arguments: argparse.Namespace) -> list[tuple[str, str, str, str]]:
    with _server() as aws:
        for number in range(10):
            _deploy(aws, f"idle-{number}", 1, asynchronous=number % 2 == 0)
        instances = [instance["pid"] for instance in aws.instances()]
        time.sleep(5)
        before = _ticks(aws.pid), sum(map(_ticks, instances))
        time.sleep(arguments.idle_seconds)
        after = _ticks(aws.pid), sum(map(_ticks, instances))
    seconds = arguments.idle_seconds * TICKS_A_SECOND
    server, containers = ((late - early) / seconds for early, late in zip(before, after, strict=True))
    return [
        (
            f"idle with {len(instances)} endpoints",
            f"{server:.2%} of a core",
            f"their containers together: {containers:.2%}",
            "",
        )
    ]


def _server() -> LocalAws:
    return LocalAws(images={"trivial": [sys.executable, "-S", str(CONTAINER)]})


def _deploy(aws: LocalAws, name: str, count: int, asynchronous: bool = False) -> str:
    sagemaker: Any = aws.client("sagemaker")
    aws.client("s3").create_bucket(Bucket=BUCKET)
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": "trivial"}, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "v",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": count,
    }
    extra = {
        "AsyncInferenceConfig": {
            "OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
        }
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant], **(extra if asynchronous else {})
    )
    endpoint = f"{name}-{uuid.uuid4().hex[:6]}"
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    return endpoint


def _outputs(s3: Any) -> int:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="out/")
    return sum(page["KeyCount"] for page in pages)


def _ticks(pid: int) -> int:
    """User and system time of a process, in clock ticks (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
