"""Reading what a multi-model container lists."""

from __future__ import annotations

import json

import pytest

from sagemaker_local.instances.container_http import ContainerAnswer, ContainerTimeout
from sagemaker_local.instances.model_listing import ModelListing


class Asked:
    """A container that answers with what it is given, page by page; what came of it."""

    def __init__(self, *pages: object, status: int = 200) -> None:
        self._pages = {page.get("at") if isinstance(page, dict) else None: page for page in pages}
        self._status = status
        self.listings: list[frozenset[str]] = []
        self.complaints: list[str] = []
        self.listing = ModelListing(self._get, self.complaints.append)
        self.listing.expect = lambda: self.listings.append

    def _get(self, path: str, timeout: float) -> ContainerAnswer:
        token = path.partition("?next_page_token=")[2] or None
        return ContainerAnswer(self._status, {}, json.dumps(self._pages[token]).encode())


def page(*names: str, **more: str) -> dict[str, object]:
    return {"models": [{"modelName": name, "modelUrl": "/u"} for name in names], **more}


def test_every_page_is_asked_for() -> None:
    asked = Asked(page("a", "b", nextPageToken="2/x"), page("c", at="2%2Fx"))
    asked.listing.ask()
    assert asked.listings == [{"a", "b", "c"}]


@pytest.mark.parametrize(
    "answer",
    [[], "models", {}, {"models": None}, {"models": [{"name": "a"}]}, {"models": [{"modelName": 1}]}],
    ids=str,
)
def test_what_is_no_listing_is_told_once_and_means_nothing(answer: object) -> None:
    asked = Asked(answer)
    asked.listing.ask()
    asked.listing.ask()
    assert (asked.listings, len(asked.complaints)) == ([], 1)
    assert asked.complaints[0].startswith("GET /models: ")


def test_a_container_without_a_listing_is_told_of_it() -> None:
    asked = Asked({}, status=404)
    asked.listing.ask()
    assert asked.complaints == ["GET /models: the container answered 404"]


def test_a_listing_without_end_is_given_up() -> None:
    asked = Asked(page("a", nextPageToken="1"), page("a", nextPageToken="1", at="1"))
    asked.listing.ask()
    assert asked.complaints == ["GET /models: it has more than 1000 pages"]


def test_a_container_that_takes_too_long_to_list_is_left_alone() -> None:
    complaints: list[str] = []

    def too_slow(path: str, timeout: float) -> ContainerAnswer:
        raise ContainerTimeout("too slow")

    ModelListing(too_slow, complaints.append).ask()
    assert complaints == []
