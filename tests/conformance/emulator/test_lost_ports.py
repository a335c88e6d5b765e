"""A container whose port was taken by another process, in the moment before it could listen, is started on another port."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

from sagemaker_local.testing import LocalAws

# Listens on the port that the container is about to use: makes one file when it does, and ends when another one vanishes.
THIEF = (
    "import os, socket, sys, time; s = socket.create_server(('127.0.0.1', int(os.environ['SAGEMAKER_BIND_TO_PORT'])));"
    "open(sys.argv[1], 'w').close()\n"
    "while os.path.exists(sys.argv[2]): time.sleep(0.05)"
)


def test_an_endpoint_comes_into_service_although_its_first_ports_were_stolen(
    container: list[str], make_target: Any, make_user: Any, tmp_path: Path
) -> None:
    stealing = tmp_path / "stealing"
    stealing.touch()
    thief = shlex.join([sys.executable, "-c", THIEF])
    # The first four instances find their port taken by a process outside their group, which outlives them.
    steal = (
        f'n=$(ls {tmp_path} | wc -l); if [ "$n" -le 4 ]; then setsid {thief} {tmp_path}/stolen-$n {stealing} & '
        f"while [ ! -e {tmp_path}/stolen-$n ]; do sleep 0.05; done; fi; exec {shlex.join(container)}"
    )
    try:
        with LocalAws(images={"trivial": ["sh", "-c", steal]}) as aws:
            user = make_user(make_target(aws))
            name = user.realtime_endpoint()
            assert user.runtime.invoke_endpoint(EndpointName=name, Body=b"x")["Body"].read() == b"x"
            assert len(list(tmp_path.glob("stolen-*"))) == 4
    finally:
        stealing.unlink()
