"""Where the conformance suite runs: the emulator, or AWS itself.

By default a `sagemaker-local` is started for the run. `SAGEMAKER_CONFORMANCE_AWS=FILE` runs the same tests against an AWS
account instead, described by a TOML file:

    region        = "eu-central-1"
    role          = "arn:aws:iam::123456789012:role/sagemaker-conformance"
    image         = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-conformance:1"
    instance_type = "ml.m5.large"
    prefix        = "sagemaker-conformance"
    # optional
    patience_seconds = 2400
    pause_seconds    = 5

Credentials come from boto3's own chain, and so does the address: `AWS_ENDPOINT_URL` may name any other server that claims to be
AWS. What differs between the two is in this file and nowhere else: names, patience, clocks, retries, and who cleans up. A server
of our own is thrown away whole; in an account every resource is deleted by the test that made it, since endpoints cost money.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from sagemaker_local.testing import LocalAws

AWS_FILE_VARIABLE = "SAGEMAKER_CONFORMANCE_AWS"
CONTAINER = [sys.executable, "-S", str(Path(__file__).parent / "trivial_container.py")]
SERVICES = (
    "s3",
    "sns",
    "sqs",
    "logs",
    "cloudwatch",
    "application-autoscaling",
    "sagemaker",
    "sagemaker-runtime",
)
MAX_PREFIX = 24
_REQUIRED = {"region": str, "role": str, "image": str, "instance_type": str, "prefix": str}
_OPTIONAL = {"patience_seconds": (int, float), "pause_seconds": (int, float)}


@dataclass(frozen=True)
class Target:
    """An AWS to test, real or not.

    Attributes:
        image: the name under which the trivial container is known there.
        role: the execution role of models, by ARN.
        prefix: what the names of all resources begin with.
        patience: seconds after which something that has not come never will.
        pause: seconds between two looks.
        disposable: whether it vanishes with all its resources after the run.
        hurry: lets AWS's long clocks run so many times as fast, where that can be had; in an account time is what it is.
        clients: one client per service; they check no parameters, so that the server's own answer is what is tested.
    """

    image: str
    role: str
    region: str
    instance_type: str
    prefix: str
    patience: float
    pause: float
    disposable: bool
    hurry: Callable[[float], None]
    clients: dict[str, Any]


class BadTarget(Exception):
    """The file that describes the account cannot be used. One sentence."""


def emulated(server: LocalAws, image: str = "trivial") -> Target:
    """A running emulator. Nothing is retried: each answer is the one that counts."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=70, parameter_validation=False)
    return Target(
        image=image,
        role="arn:aws:iam::123456789012:role/conformance",
        region="us-east-1",
        instance_type="ml.g5.xlarge",
        prefix="t",
        patience=60.0,
        pause=0.03,
        disposable=True,
        hurry=server.set_clock_speed,
        clients={name: server.client(name, config) for name in SERVICES},
    )


def account(described: Path) -> Target:
    """A real account. Throttling is retried, because deploying sixty endpoints in a row is throttled.

    Raises:
        BadTarget: when the file is missing or incomplete.
    """
    settings = _read(described)
    config = Config(
        region_name=settings["region"],
        retries={"mode": "standard", "total_max_attempts": 8},
        read_timeout=70,
        parameter_validation=False,
    )
    session: Any = boto3.session.Session()
    return Target(
        image=settings["image"],
        role=settings["role"],
        region=settings["region"],
        instance_type=settings["instance_type"],
        prefix=settings["prefix"],
        patience=float(settings.get("patience_seconds", 2400.0)),
        pause=float(settings.get("pause_seconds", 5.0)),
        disposable=False,
        hurry=lambda speed: None,
        clients={name: session.client(name, config=config) for name in SERVICES},
    )


@contextmanager
def chosen() -> Iterator[Target]:
    """The target of this run."""
    described = os.environ.get(AWS_FILE_VARIABLE)
    if described:
        yield account(Path(described))
        return
    with LocalAws(images={"trivial": CONTAINER}) as server:
        yield emulated(server)


def _read(described: Path) -> dict[str, Any]:
    try:
        raw = tomllib.loads(described.read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadTarget(f"{AWS_FILE_VARIABLE}: {described} cannot be read: {error}") from error
    kinds: dict[str, Any] = {**_REQUIRED, **_OPTIONAL}
    wrong = [name for name, value in raw.items() if not isinstance(value, kinds.get(name, ()))]
    wrong += [name for name in _REQUIRED if name not in raw]
    if wrong:
        raise BadTarget(
            f"{AWS_FILE_VARIABLE}: {described} must have the settings {', '.join(_REQUIRED)} and may have "
            f"{', '.join(_OPTIONAL)}; look at {', '.join(wrong)}"
        )
    if not re.fullmatch(rf"[a-z][a-z0-9-]{{1,{MAX_PREFIX - 1}}}", raw["prefix"]):
        raise BadTarget(
            f"{AWS_FILE_VARIABLE}: {described}: prefix must be 2 to {MAX_PREFIX} of a-z, 0-9 and -, beginning with a "
            "letter: buckets, topics and endpoints are named after it"
        )
    return raw
