"""The informer starts wherever its container runs."""

import asyncio
import getpass
import json
from pathlib import Path

import pytest
from aiohttp import web

from avatar_operator.kube.informer import Informer


def _nobody() -> str:
    raise KeyError("getpwuid(): uid not found: 65532")


async def test_a_user_without_a_name_can_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container runs under a uid that has no entry in /etc/passwd (OpenShift chooses one)."""
    asked = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        asked.set()
        return web.json_response({}, status=404)

    application = web.Application()
    application.add_routes([web.get("/{path:.*}", answer)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setattr(getpass, "getuser", _nobody)
    monkeypatch.setenv("KUBECONFIG", str(_kubeconfig(tmp_path, f"http://127.0.0.1:{runner.addresses[0][1]}")))
    watching = asyncio.create_task(Informer(lambda kind, body, *, deleted: None).run())
    waiting = asyncio.create_task(asked.wait())

    done, _ = await asyncio.wait({watching, waiting}, return_when=asyncio.FIRST_COMPLETED)

    assert done == {waiting}, watching.exception()
    watching.cancel()
    await asyncio.wait([watching])
    await runner.cleanup()


def _kubeconfig(directory: Path, server: str) -> Path:
    path = directory / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path.write_text(json.dumps(document))
    return path
