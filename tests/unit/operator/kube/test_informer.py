"""The informer starts wherever its container runs, and goes on watching whatever the API server answers for a while."""

import asyncio
import getpass
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import kopf
import pytest
from aiohttp import web

from avatar_api.group import API_VERSION, AVATAR_MODEL, GROUP, KINDS, VERSION, Kind
from avatar_operator.kube import informer
from avatar_operator.kube.client import KubeError, Object
from avatar_operator.kube.informer import Informer
from avatar_operator.kube.scope import WHOLE_CLUSTER, Scope
from avatar_operator.kube.watched_namespaces import WatchedNamespaces

PATIENCE_SECONDS = 20.0
JOIN_SECONDS = 2.0
LookAgain = Callable[[Sequence[str]], Awaitable[None]]
RESTARTS = 6
LIST = ("get", "list", "watch")


class PretendedServer:
    """As much of an API server as kopf asks of one: what there is, lists, and watches that show nothing."""

    def __init__(self, directory: Path) -> None:
        self._kubeconfig = directory / "kubeconfig"
        self.models: list[str] = []
        self.watches_end = asyncio.Event()
        self.refusal = 0
        """The HTTP status of every answer, unless 0."""
        self.refused_plural = ""
        """What may not be listed or watched."""
        self.refused_namespace = ""
        """Where nothing may be listed or watched."""
        self.listed: asyncio.Queue[str] = asyncio.Queue()
        """The paths of all lists, as they come."""

    @asynccontextmanager
    async def listening(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
        """Answer whoever follows KUBECONFIG."""
        application = web.Application()
        application.add_routes([web.get("/{path:.*}", self._answer)])
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._kubeconfig.write_text(_kubeconfig(f"http://127.0.0.1:{runner.addresses[0][1]}"))
        monkeypatch.setenv("KUBECONFIG", str(self._kubeconfig))
        try:
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.refusal:
            return web.json_response({"kind": "Status", "code": self.refusal}, status=self.refusal)
        path = request.path.strip("/").split("/")
        if path[-1] == self.refused_plural:
            return web.json_response({"kind": "Status", "code": 403}, status=403)
        if self.refused_namespace and self.refused_namespace in path:
            return web.json_response({"kind": "Status", "code": 403}, status=403)
        match path:
            case ["api"]:
                return web.json_response({"versions": ["v1"]})
            case ["apis"]:
                return web.json_response(
                    {"groups": [_group("apiextensions.k8s.io", "v1"), _group(GROUP, VERSION)]}
                )
            case ["api", "v1"]:
                return _resources(("namespaces", "Namespace", False), ("events", "Event", True))
            case ["apis", "apiextensions.k8s.io", "v1"]:
                return _resources(("customresourcedefinitions", "CustomResourceDefinition", False))
            case ["apis", _, _]:
                return _resources(*((kind.plural, kind.kind, kind.namespaced) for kind in KINDS))
            case [*_, plural] if "watch" in request.query:
                return await self._watch(request)
            case [*_, plural]:
                self.listed.put_nowait("/".join(path[3:]))
                items = [_object(name) for name in self.models] if plural == "avatarmodels" else []
                return web.json_response({"metadata": {"resourceVersion": "7"}, "items": items})
        raise AssertionError(path)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await self.watches_end.wait()
        return response


def _group(name: str, version: str) -> dict[str, Any]:
    served = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [served], "preferredVersion": served}


def _resources(*kinds: tuple[str, str, bool]) -> web.Response:
    resources = [
        {"name": plural, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": LIST}
        for plural, kind, namespaced in kinds
    ]
    return web.json_response({"resources": resources})


def _object(name: str) -> Object:
    metadata = {"name": name, "namespace": "team-a", "uid": name, "resourceVersion": "3"}
    return {"apiVersion": API_VERSION, "kind": "AvatarModel", "metadata": metadata}


def _kubeconfig(server: str) -> str:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    return json.dumps(document)


@asynccontextmanager
async def _watching(
    watched: WatchedNamespaces | None = None, look_again: LookAgain | None = None
) -> AsyncIterator[asyncio.Queue[str]]:
    """The names of the objects that an informer sees."""
    names: asyncio.Queue[str] = asyncio.Queue()

    def seen(kind: Kind, body: Object, *, deleted: bool) -> None:
        names.put_nowait(body["metadata"]["name"])

    informer = Informer(seen, watched or WatchedNamespaces(WHOLE_CLUSTER), look_again or _nothing_to_look_at)
    watching = asyncio.create_task(informer.run())
    try:
        yield names
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def _nothing_to_look_at(namespaces: Sequence[str]) -> None:
    raise AssertionError(namespaces)


def _nobody() -> str:
    raise KeyError("getpwuid(): uid not found: 65532")


async def test_a_user_without_a_name_can_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container runs under a uid that has no entry in /etc/passwd (OpenShift chooses one)."""
    monkeypatch.setattr(getpass, "getuser", _nobody)
    server = PretendedServer(tmp_path)
    server.models = ["ann"]
    async with server.listening(monkeypatch), _watching() as names:
        assert await asyncio.wait_for(names.get(), PATIENCE_SECONDS) == "ann"


@pytest.mark.parametrize("status", [401, 503])
async def test_what_an_api_server_refuses_for_longer_than_kopf_bears_is_watched_again_afterwards(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient, gave_up = informer._settings, asyncio.Event()

    def impatient() -> kopf.OperatorSettings:
        settings = patient()
        settings.networking.error_backoffs = (0.01,)
        return settings

    monkeypatch.setattr(informer, "_settings", impatient)
    monkeypatch.setattr(informer.logger, "warning", lambda *_, **__: gave_up.set())
    server = PretendedServer(tmp_path)
    server.models = ["ann"]
    async with server.listening(monkeypatch), asyncio.timeout(PATIENCE_SECONDS), _watching() as names:
        assert await names.get() == "ann"
        server.refusal = status
        server.watches_end.set()
        await gave_up.wait()
        server.models, server.refusal = ["bob"], 0

        # A list that was under way when the refusals began may show Ann once more.
        while await names.get() != "bob":
            pass


async def test_kopf_after_kopf_that_gives_up_leaves_no_thread_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Watches that end, and are begun anew, while another kind's list is refused: the moment in which kopf misses its end."""
    patient, restarts, enough = informer._settings, 0, asyncio.Event()

    def impatient() -> kopf.OperatorSettings:
        settings = patient()
        settings.networking.error_backoffs = (0.01,)
        return settings

    def began_anew(*_: object, **__: object) -> None:
        nonlocal restarts
        restarts += 1
        if restarts == RESTARTS:
            enough.set()

    monkeypatch.setattr(informer, "_settings", impatient)
    monkeypatch.setattr(informer, "LONGEST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(informer, "FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(informer, "END_SECONDS", 0.05)
    monkeypatch.setattr(informer.logger, "warning", began_anew)
    server = PretendedServer(tmp_path)
    server.watches_end.set()
    async with server.listening(monkeypatch), asyncio.timeout(PATIENCE_SECONDS), _watching():
        server.refused_plural = "avatarmodels"
        await enough.wait()
        former = [thread for thread in threading.enumerate() if thread.name == "kopf"][:-1]
        server.watches_end.clear()

        for thread in former:
            await asyncio.to_thread(thread.join, JOIN_SECONDS)

        assert not [thread for thread in former if thread.is_alive()]


async def test_named_namespaces_have_watches_of_their_own_and_one_that_refuses_ends_the_others_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = informer._settings

    def impatient() -> kopf.OperatorSettings:
        settings = patient()
        settings.networking.error_backoffs = (0.01,)
        return settings

    async def refuse(namespaces: Sequence[str]) -> None:
        assert namespaces == ["team-a", "team-b"]
        watched.note_refused(AVATAR_MODEL, "team-b", KubeError("403", status=403))
        server.models, server.listed = ["bob"], asyncio.Queue()

    monkeypatch.setattr(informer, "_settings", impatient)
    monkeypatch.setattr(informer, "FIRST_PAUSE_SECONDS", 0.1)
    server = PretendedServer(tmp_path)
    server.models, server.refused_namespace = ["ann"], "team-b"
    watched = WatchedNamespaces(Scope(("team-a", "team-b")))
    async with (
        server.listening(monkeypatch),
        asyncio.timeout(PATIENCE_SECONDS),
        _watching(watched, refuse) as names,
    ):
        while await names.get() != "bob":
            pass
        listed = {await server.listed.get() for _ in range(3)}

    assert listed == {"namespaces/team-a/avatarmodels", "namespaces/team-a/avatarrequests", "avatarruntimes"}


async def test_where_no_named_namespace_answers_runtimes_alone_are_watched_until_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_open(namespaces: Sequence[str]) -> None:
        assert namespaces == ["team-a"]

    monkeypatch.setattr(informer, "FIRST_PAUSE_SECONDS", 0.1)
    server, seen = PretendedServer(tmp_path), asyncio.Event()
    server.models = ["ann"]
    watched = WatchedNamespaces(Scope(("team-a",)), lambda: watching.begin_anew())
    watching = Informer(lambda kind, body, *, deleted: seen.set(), watched, is_open)
    watched.note_refused(AVATAR_MODEL, "team-a", KubeError("403", status=403))
    async with server.listening(monkeypatch), asyncio.timeout(PATIENCE_SECONDS):
        task = asyncio.create_task(watching.run())
        assert await server.listed.get() == "avatarruntimes"
        assert server.listed.empty()

        watched.note_listed(AVATAR_MODEL, "team-a")
        await seen.wait()

        task.cancel()
        await asyncio.wait([task])


@pytest.mark.parametrize(
    ("address", "server"),
    [("10.96.0.1", "https://10.96.0.1:6443"), ("fd00::1", "https://[fd00::1]:6443")],
    ids=["version 4", "version 6"],
)
def test_a_pod_watches_where_the_kubelet_says_that_the_api_server_is(
    address: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kopf alone would ask for kubernetes.default.svc, and see nothing while the cluster's DNS does not answer."""
    found = kopf.ConnectionInfo(server="https://kubernetes.default.svc", token="t")
    monkeypatch.setattr(kopf, "login_with_service_account", lambda **_: found)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", address)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")

    logged_in = informer.log_in()

    assert logged_in is not None
    assert (logged_in.server, logged_in.token) == (server, "t")
