"""One replica of the operator: a process of its own, which can be measured, killed, frozen and asked to go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.operator_load.waiting import BenchmarkError, wait_until
from local_cluster.free_ports import free_port
from sagemaker_local.testing import environment_without_aws

PROGRAM = Path(sys.executable).parent / "avatar-operator"
_TICKS_A_SECOND = float(os.sysconf("SC_CLK_TCK"))


class Replica:
    """A place that an operator runs in, again and again.

    Args:
        account: the service account that its kubeconfig logs in as; also the replica's name.
        kubeconfig: how it logs in.
        directory: gets its log.
        environment: added to its own.
    """

    def __init__(
        self, account: str, kubeconfig: Path, directory: Path, environment: Mapping[str, str]
    ) -> None:
        self.account = account
        self.log = directory / f"{account}.log"
        self._port = free_port()
        self._lives = 0
        self._environment = {
            **_environment(),
            "KUBECONFIG": str(kubeconfig),
            "AVATAR_OPERATOR_HTTP_HOST": "127.0.0.1",
            "AVATAR_OPERATOR_HTTP_PORT": str(self._port),
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.started_at = datetime.now(UTC)

    @property
    def identity(self) -> str:
        """Its name in the Lease: another one in each life, as that of a Pod is."""
        return f"{self.account}-{self._lives}"

    @property
    def address(self) -> str:
        """Where it can be asked and scraped, as host:port."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Of its present life."""
        assert self._process is not None, "it has not been started"
        return self._process.pid

    def start(self) -> None:
        """Begin a new life."""
        self._lives += 1
        self.started_at = datetime.now(UTC)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(PROGRAM)],
                env={**self._environment, "AVATAR_OPERATOR_IDENTITY": self.identity},
                stdout=log,
                stderr=log,
            )

    def wait_until_ready(self) -> float:
        """Wait for /readyz; seconds since it started are returned."""
        wait_until(self._is_ready, f"a ready {self.account}", every=0.02)
        return (datetime.now(UTC) - self.started_at).total_seconds()

    def is_running(self) -> bool:
        """Whether the process lives, frozen or not."""
        return self._process is not None and self._process.poll() is None

    def require_running(self) -> None:
        """Go on only if the process lives.

        Raises:
            BenchmarkError: it has ended, and nobody here has ended it.
        """
        if not self.is_running():
            code = None if self._process is None else self._process.returncode
            raise BenchmarkError(f"{self.account} ended with {code}:\n{self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """End it the hard way."""
        self._signal(signal.SIGKILL)
        self._wait_for_end()

    def freeze(self) -> None:
        """Stop its time."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let its time go on."""
        self._signal(signal.SIGCONT)

    def ask_to_go(self) -> None:
        """SIGTERM, as a rolling update sends it."""
        self._signal(signal.SIGTERM)

    def stop(self) -> float:
        """End it the polite way; the seconds that it took are returned."""
        began = time.monotonic()
        self._signal(signal.SIGTERM)
        self._wait_for_end()
        return time.monotonic() - began

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that carry these labels."""
        text = httpx.get(f"http://{self.address}/metrics", trust_env=False, timeout=30).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def peak_mebibytes(self) -> float:
        """The most memory that was ever resident (VmHWM, proc(5))."""
        for line in self._proc("status").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise BenchmarkError(f"/proc does not say how much memory {self.account} has used")

    def processor_seconds(self) -> float:
        """Processor time that it has used."""
        fields = self._proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self.pid}/{name}").read_text()

    def _is_ready(self) -> bool:
        self.require_running()
        try:
            answer = httpx.get(f"http://{self.address}/readyz", trust_env=False, timeout=1)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _wait_for_end(self) -> None:
        if self._process is not None:
            self._process.wait(timeout=60)


def seconds_to_import() -> float:
    """How long a process takes that imports the operator and ends: the peer of every start."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import avatar_operator.main"], env=_environment(), check=True)
    return time.monotonic() - began


def _environment() -> dict[str, str]:
    # An image carries its byte code; a process that had to compile would be measured compiling.
    return {
        name: value for name, value in environment_without_aws().items() if name != "PYTHONDONTWRITEBYTECODE"
    }
