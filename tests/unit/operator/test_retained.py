"""What a user asked to retain is never removed: not by whoever looks for orphans, and not by a runtime that comes later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import pytest

from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.backends.selection import Backends
from avatar_operator.backends.simulated import simulated_backend
from avatar_operator.backends.storage import Storage
from avatar_operator.locations import OwnedDirectory
from builders.backend import denied
from builders.manifests import SIMULATED, Changes, model_manifest, request_manifest, runtime_manifest
from builders.whole_operator import LoopClock, Surroundings, in_virtual_time, until

LONG_AFTER = 4 * 3600.0
"""For whoever looks for orphans."""
A_MOMENT = 10.0
DELETES: Changes = {
    "backend": SIMULATED,
    "garbageCollection": {"orphans": "Delete", "gracePeriodSeconds": 3600},
}
ABANDONED = {"avatars.dev/abandon": "true"}


class Album:
    """Requests that have drawn, one of which shall keep its pictures."""

    def __init__(self) -> None:
        clock = LoopClock()
        backend = simulated_backend(clock)
        self.storage: Storage = backend.storage
        self.around = Surroundings(Backends({"simulated": backend}), clock)
        self.kube = self.around.kube
        self.runtime = AvatarRuntime.model_validate(
            self.kube.create(AVATAR_RUNTIME, runtime_manifest(spec=DELETES))
        )
        self.prefixes: dict[str, str] = {}
        self.is_denied = False
        self._mark = backend.storage.mark_retained
        backend.storage.mark_retained = self._may_be_denied  # type: ignore[method-assign]

    async def _may_be_denied(self, runtime: AvatarRuntime, directory: OwnedDirectory) -> None:
        if self.is_denied:
            raise denied()
        await self._mark(runtime, directory)

    @asynccontextmanager
    async def drawn(self) -> AsyncIterator[Self]:
        """From when the pictures are drawn until the end."""
        async with self.around.with_replicas(1):
            self.kube.create(AVATAR_MODEL, model_manifest())
            await asyncio.sleep(A_MOMENT)
            for name, policy in (("kept", "Retain"), ("forgotten", "Delete")):
                self.kube.create(AVATAR_REQUEST, request_manifest(name=name, spec={"deletionPolicy": policy}))
            await asyncio.sleep(A_MOMENT)
            for name in ("kept", "forgotten"):
                request = AvatarRequest.model_validate(self.kube.read(AVATAR_REQUEST, name))
                assert request.status.state == "Succeeded"
                self.prefixes[name] = request.status.storage_prefix or ""
            yield self

    async def pictures_of(self, name: str) -> int:
        """How many pictures of a request are stored."""
        stored = await self.storage.existing_pictures(self.runtime, self.prefixes[name])
        return sum(picture.endswith(".png") for picture in stored)

    async def delete(self, name: str, *, within: float = A_MOMENT) -> None:
        """Delete a request."""
        self.kube.delete_as_user(AVATAR_REQUEST, name)
        await until(lambda: not self.kube.exists(AVATAR_REQUEST, name), within=within)


@pytest.mark.parametrize("annotations", [{}, ABANDONED])
def test_pictures_that_stay_outlive_their_runtime_and_the_next_one(annotations: dict[str, str]) -> None:
    async def story() -> None:
        async with Album().drawn() as album:
            await album.delete("forgotten")
            album.kube.delete_as_user(AVATAR_MODEL, "ann")
            album.kube.annotate(AVATAR_RUNTIME, "standard", annotations)
            album.kube.delete_as_user(AVATAR_RUNTIME, "standard")
            await until(lambda: not album.kube.exists(AVATAR_RUNTIME, "standard"), within=A_MOMENT)
            await album.delete("kept")
            album.kube.create(AVATAR_RUNTIME, runtime_manifest(name="next", spec=DELETES))

            await asyncio.sleep(LONG_AFTER)

            assert await album.pictures_of("kept") == 2

    in_virtual_time(story())


def test_pictures_that_stay_outlive_a_time_in_which_they_could_not_be_marked() -> None:
    async def story() -> None:
        album = Album()
        album.is_denied = True
        async with album.drawn():
            await album.delete("kept", within=700)
            await asyncio.sleep(LONG_AFTER)
            assert await album.pictures_of("kept") == 2
            album.is_denied = False
            await asyncio.sleep(LONG_AFTER)
            assert not album.kube.read(AVATAR_RUNTIME, "standard")["status"].get("leftBehind"), "it is marked"
            await asyncio.sleep(LONG_AFTER)

            assert await album.pictures_of("kept") == 2

    in_virtual_time(story())


def test_pictures_of_a_request_that_was_taken_away_by_force_go_only_if_they_were_not_to_stay() -> None:
    async def story() -> None:
        async with Album().drawn() as album:
            for name in ("kept", "forgotten"):
                album.kube.remove_by_force(AVATAR_REQUEST, name)

            await asyncio.sleep(LONG_AFTER)

            assert (await album.pictures_of("kept"), await album.pictures_of("forgotten")) == (2, 0)

    in_virtual_time(story())


def test_a_request_whose_time_is_over_goes_although_its_pictures_could_not_be_marked() -> None:
    async def story() -> None:
        album = Album()
        album.is_denied = True
        async with album.drawn():
            album.kube.edit(AVATAR_REQUEST, "kept", {"ttlSecondsAfterFinished": 60})

            await until(lambda: not album.kube.exists(AVATAR_REQUEST, "kept"), within=4 * 3600)

            assert await album.pictures_of("kept") == 2

    in_virtual_time(story())


def test_a_request_whose_time_is_over_is_deleted_once_however_late_the_watch_shows_it() -> None:
    async def story() -> None:
        async with Album().drawn() as album:
            album.kube.edit(AVATAR_REQUEST, "forgotten", {"ttlSecondsAfterFinished": 60})

            await until(lambda: not album.kube.exists(AVATAR_REQUEST, "forgotten"), within=120)

            assert album.kube.writes["delete", "AvatarRequest"] == 1

    in_virtual_time(story())


def test_pictures_that_were_to_stay_once_and_are_not_any_more_go_when_their_request_is_taken_away_by_force() -> (
    None
):
    async def story() -> None:
        async with Album().drawn() as album:
            album.kube.edit(AVATAR_REQUEST, "kept", {"deletionPolicy": "Delete"})
            await asyncio.sleep(A_MOMENT)
            assert "retainedTime" not in album.kube.read(AVATAR_REQUEST, "kept")["status"]
            album.kube.remove_by_force(AVATAR_REQUEST, "kept")

            await asyncio.sleep(LONG_AFTER)

            assert await album.pictures_of("kept") == 0

    in_virtual_time(story())


def test_a_policy_that_is_changed_back_and_forth_ends_in_the_mark_that_fits_it() -> None:
    async def story() -> None:
        async with Album().drawn() as album:
            for policy in ("Delete", "Retain", "Delete", "Retain"):
                album.kube.edit(AVATAR_REQUEST, "kept", {"deletionPolicy": policy})
                await asyncio.sleep(A_MOMENT)
            album.kube.remove_by_force(AVATAR_REQUEST, "kept")

            await asyncio.sleep(LONG_AFTER)

            assert await album.pictures_of("kept") == 2

    in_virtual_time(story())
