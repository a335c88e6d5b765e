"""What is told at the end: the columns, the Events, the CloudEvents, where to look, and what to try next."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from avatar_demo.aws_account import BUCKET, AwsAccount, aws_environment
from avatar_demo.environment import Environment
from avatar_demo.example import Example
from avatar_demo.observation import Observer, ReceivedEvent, Snapshot
from avatar_demo.settings import EXAMPLE, DemoSettings
from local_cluster.access import Cluster

PREFIXES = ("base/", "photos/", "requests/", "artifacts/", "outputs/")


def print_outcome(console: Console, cluster: Cluster, observer: Observer, snapshot: Snapshot) -> None:
    """The objects as `kubectl get` shows them, the Events about them, and what the application's queue received."""
    say = _printer(console)
    say("\n$ kubectl get avrt,avm,avr -A")
    say(cluster.kubectl("get", "avrt,avm,avr", "--all-namespaces").rstrip())
    print_events(console, observer, snapshot)
    say("\nWhat the SQS queue my-app has received (CloudEvents 1.0, of this namespace):")
    for line in event_rows(snapshot.events):
        say(line)


def print_events(console: Console, observer: Observer, snapshot: Snapshot) -> None:
    """The Kubernetes Events about the snapshot's objects."""
    say = _printer(console)
    uids = {
        what.metadata.uid for what in (snapshot.runtime, snapshot.model, snapshot.request) if what is not None
    }
    say("\nEvents:")
    for line in kubernetes_event_rows(observer.kubernetes_events(uids)):
        say(line)


def kubernetes_event_rows(events: Iterable[dict[str, Any]]) -> list[str]:
    """Events of events.k8s.io/v1 in columns: time, type, reason, object, note."""
    return columns(
        [
            (
                str(event.get("eventTime", ""))[11:19],
                event.get("type", ""),
                event.get("reason", ""),
                f"{event['regarding']['kind']}/{event['regarding']['name']}",
                event.get("note", ""),
            )
            for event in events
        ]
    )


def event_rows(events: Iterable[ReceivedEvent]) -> list[str]:
    """CloudEvents in columns: time, type, subject, message."""
    return columns(
        [
            (event.time[11:19], event.type, event.subject, str(event.data.get("message", "")))
            for event in events
        ]
    )


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of equal length as lines whose columns are aligned."""
    if not rows:
        return ["  (none)"]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def write_shell_settings(settings: DemoSettings, environment: Environment) -> None:
    """Write the file that a shell sources to use the demo's cluster and AWS."""
    exports = {"KUBECONFIG": str(environment.cluster.admin_kubeconfig)} | aws_environment(environment.aws_url)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in exports.items()]
    programs = (environment.cluster.kubectl_program.parent, Path(sys.executable).parent)
    # Ours first: a user's kubectl may be years older than this API server.
    lines.append(f'export PATH={":".join(shlex.quote(str(directory)) for directory in programs)}:"$PATH"')
    settings.shell_settings.parent.mkdir(parents=True, exist_ok=True)
    settings.shell_settings.write_text("\n".join(lines) + "\n")


def print_next_steps(
    console: Console, settings: DemoSettings, environment: Environment, example: Example
) -> None:
    """How to use what stays up."""
    say = _printer(console)
    model, namespace = example.model.metadata.name, example.namespace
    say(
        f"""
Everything stays up. To use it (or `source {_shown(settings.shell_settings)}`, which has all of it and puts kubectl and our tools first on PATH):

  export KUBECONFIG={environment.cluster.admin_kubeconfig}
  export AWS_ENDPOINT_URL={environment.aws_url}

What to try next:

  kubectl describe avm {model} -n {namespace}
      what happened to the model, and when
  kubectl create -f {_shown(EXAMPLE / "another-request.yaml")}
      draw something else with it; kubectl get avr -n {namespace} -w shows how it goes
  kubectl delete avr --all -n {namespace}; kubectl delete avm {model} -n {namespace}; {_shown(Path(sys.executable))} -m avatar_demo status
      delete the person, and see S3 empty but for the photos that you uploaded
  curl {environment.operator_url}/metrics
      what the operator counts
  {restart_command()}
      after a kill -9, say: it goes on where it was
  make demo
      the whole way once more
  make down
      stop everything"""
    )


def restart_command() -> str:
    """What to type to have an operator again after a crash."""
    return f"{_shown(Path(sys.executable))} -m avatar_demo restart operator"


def object_counts(aws: AwsAccount) -> dict[str, int]:
    """How many objects the bucket has below each prefix."""
    counts = {}
    for prefix in PREFIXES:
        pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        counts[prefix] = sum(page.get("KeyCount", 0) for page in pages)
    return counts


def _shown(path: Path) -> str:
    """A path as one types it: relative to here if it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _printer(console: Console) -> Any:
    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    return say
