"""Lists: in pages, decoded by json alone, and begun again if the API server has forgotten what they began with."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio import client as kubernetes_client

from avatar_api.group import AVATAR_MODEL
from avatar_operator.kube.client import KubeError
from avatar_operator.kube.kubernetes_client import RESTARTS_OF_A_LIST, KubernetesClient

EXPIRED: dict[str, Any] = {
    "kind": "Status",
    "code": 410,
    "message": "The provided continue parameter is too old",
}


class Shelf:
    """An API server's list of models, which the test can make forget."""

    def __init__(self, count: int) -> None:
        self.names = [f"m{number}" for number in range(count)]
        self.asked: list[tuple[int, int]] = []
        self.expirations = 0
        self.version = 40

    async def list(self, request: web.Request) -> web.Response:
        limit, start = int(request.query["limit"]), int(request.query.get("continue", 0))
        self.asked.append((start, limit))
        if start and self.expirations:
            self.expirations -= 1
            self.version += 1
            return web.json_response(EXPIRED, status=410)
        end = start + limit
        items = [{"metadata": {"name": name}} for name in self.names[start:end]]
        metadata = {"resourceVersion": str(self.version)}
        if end < len(self.names):
            metadata["continue"] = str(end)
        return web.Response(text=json.dumps({"metadata": metadata, "items": items}))


@asynccontextmanager
async def _client_of(shelf: Shelf) -> AsyncIterator[KubernetesClient]:
    application = web.Application()
    application.add_routes([web.get("/apis/avatars.dev/v1alpha1/avatarmodels", shelf.list)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    configuration = kubernetes_client.Configuration(host=f"http://127.0.0.1:{port}")
    try:
        async with aclosing(
            KubernetesClient(kubernetes_client.ApiClient(configuration), page_size=2)
        ) as client:
            yield client
    finally:
        await runner.cleanup()


async def _pages(client: KubernetesClient) -> list[list[str]]:
    return [
        [body["metadata"]["name"] for body in page.objects]
        async for page in client.list_objects(AVATAR_MODEL)
    ]


async def test_a_list_comes_a_page_at_a_time() -> None:
    async with _client_of(Shelf(5)) as client:
        assert await _pages(client) == [["m0", "m1"], ["m2", "m3"], ["m4"]]


async def test_a_list_of_nothing_is_empty() -> None:
    async with _client_of(Shelf(0)) as client:
        assert await _pages(client) == [[]]


async def test_listed_objects_say_what_they_are() -> None:
    async with _client_of(Shelf(1)) as client:
        listed = [body async for page in client.list_objects(AVATAR_MODEL) for body in page.objects]

    assert [(body["apiVersion"], body["kind"]) for body in listed] == [
        ("avatars.dev/v1alpha1", "AvatarModel")
    ]


async def test_a_list_that_expires_is_begun_again() -> None:
    shelf = Shelf(3)
    shelf.expirations = 1
    async with _client_of(shelf) as client:
        assert await _pages(client) == [["m0", "m1"], ["m0", "m1"], ["m2"]]

    assert shelf.asked == [(0, 2), (2, 2), (0, 2), (2, 2)]


async def test_every_page_says_how_new_the_list_is_that_it_belongs_to() -> None:
    shelf = Shelf(3)
    shelf.expirations = 1
    async with _client_of(shelf) as client:
        versions = [page.version async for page in client.list_objects(AVATAR_MODEL)]

    assert versions == ["40", "41", "41"]


async def test_a_list_that_expires_again_and_again_is_given_up() -> None:
    shelf = Shelf(3)
    shelf.expirations = RESTARTS_OF_A_LIST + 1
    async with _client_of(shelf) as client:
        with pytest.raises(KubeError, match="too old") as refused:
            await _pages(client)

    assert refused.value.status == 410
