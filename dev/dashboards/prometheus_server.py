"""A real Prometheus for a short time: Debian's, without root.

It is told what to scrape as any other is. `scraping` says it for processes of this machine, as the chart's monitors have the
Prometheus operator say it for Pods: a target brings a label `namespace` of its own, and `honor_labels` keeps it off the metrics that
are about a tenant's namespace.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

import httpx
import yaml

from dashboards.answers import Series
from debian_programs import debian_program
from local_cluster.free_ports import free_port
from local_cluster.processes import ProcessIdentity, is_alive, start, stop_all

_READY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1


def scraping(targets: Mapping[str, str]) -> dict[str, Any]:
    """The configuration that scrapes every second.

    Args:
        targets: where, as host:port, by what `instance` shall say.
    """
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {
                "job_name": "avatars",
                "honor_labels": True,
                "static_configs": [
                    {"targets": [place], "labels": {"instance": name, "namespace": "avatar-system"}}
                    for name, place in targets.items()
                ],
            }
        ],
    }


class PrometheusFailed(Exception):
    """Prometheus did not start, or did not understand a question; the message has its words."""


class Prometheus:
    """A Prometheus that runs as long as the context.

    Args:
        directory: for its configuration, data and log.
        configuration: what a prometheus.yaml says.

    Raises:
        ProgramMissing: there is none on this machine, and none to be had.
        PrometheusFailed: it did not start.
    """

    def __init__(self, directory: Path, configuration: Mapping[str, Any]) -> None:
        self._program = debian_program("prometheus", "prometheus")
        self._directory = directory
        self._configuration = configuration
        self._process: ProcessIdentity | None = None
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{free_port()}", trust_env=False, timeout=60)

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        configuration, log = self._directory / "prometheus.yaml", self._directory / "prometheus.log"
        configuration.write_text(yaml.safe_dump(dict(self._configuration)))
        command = [
            str(self._program),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={self._directory / 'data'}",
            f"--web.listen-address={self._client.base_url.host}:{self._client.base_url.port}",
        ]
        self._process = start(command, log, detached=False)
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            if not is_alive(self._process) or time.monotonic() > deadline:
                self.__exit__()
                raise PrometheusFailed(f"Prometheus did not start:\n{log.read_text()[-2000:]}")
            time.sleep(_POLL_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            stop_all([self._process])
        self._client.close()

    def over(self, expression: str, begin: float, end: float, step: float) -> list[Series]:
        """What an expression was, from a time to another.

        Args:
            expression: in PromQL.
            begin: seconds since 1970.
            end: likewise.
            step: seconds from point to point.

        Raises:
            PrometheusFailed: it does not understand the expression.
        """
        asked = {"query": expression, "start": begin, "end": end, "step": step}
        answer = self._client.post("/api/v1/query_range", data=asked).json()
        if answer["status"] != "success":
            raise PrometheusFailed(f"{answer['error']}: {expression}")
        return [
            Series(found["metric"], tuple((float(when), float(value)) for when, value in found["values"]))
            for found in answer["data"]["result"]
        ]

    def targets(self) -> list[dict[str, Any]]:
        """What it scrapes now: labels, health, and the last error of each target."""
        found: list[dict[str, Any]] = self._told("targets")["activeTargets"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """The rules that it has read: health, last error, and whether they fire."""
        return [rule for group in self._told("rules")["groups"] for rule in group["rules"]]

    def _told(self, about: str) -> dict[str, Any]:
        answer = self._client.get(f"/api/v1/{about}").raise_for_status().json()
        data: dict[str, Any] = answer["data"]
        return data

    def _is_ready(self) -> bool:
        try:
            return self._client.get("/-/ready").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False
