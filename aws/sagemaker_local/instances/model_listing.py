"""What a multi-model container says it has in memory: GET /models, beside each ping, as SageMaker asks it.

    GET /models[?next_page_token=...] -> {"models": [{"modelName", "modelUrl"}, ...], "nextPageToken"?}

AWS does not say what it does with the answer. Here a model that is not listed counts as not loaded, so that the next invocation
loads it. A listing that cannot be had or read means nothing: it is told once, in the container's log, where whoever wrote the
container looks.

Sources: "Build Your Own Container for Multi-Model Endpoints" in the SageMaker guide; that it is asked every few seconds:
pytorch/serve #1028.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from urllib.parse import quote

from sagemaker_local.instances.container_http import (
    ContainerAnswer,
    ContainerAnswerTooLarge,
    ContainerTimeout,
    ContainerUnreachable,
)

LISTING_TIMEOUT_SECONDS = 2.0
MAX_PAGES = 1_000

Judge = Callable[[frozenset[str]], None]
"""Is given the names that are listed."""


class BadListing(Exception):
    """The container's answer is no listing. One sentence."""


class ModelListing:
    """Asks one container.

    Arguments:
        get: asks it for a path, within so many real seconds; raises as `call_container` does.
        complain: writes a line into its log.

    Attributes:
        expect: called before each listing, so that changes of memory during it can be told; returns who judges it.
    """

    def __init__(self, get: Callable[[str, float], ContainerAnswer], complain: Callable[[str], None]) -> None:
        self.expect: Callable[[], Judge] = lambda: lambda _: None
        self._get = get
        self._complain = complain
        self._complaint = ""

    def ask(self) -> None:
        """Ask once, and pass on what is listed."""
        judge = self.expect()
        try:
            names = self._names()
        except BadListing as error:
            complaint = f"GET /models: {error}"
            if complaint != self._complaint:
                self._complain(complaint)
            self._complaint = complaint
            return
        except (ContainerTimeout, ContainerUnreachable, ContainerAnswerTooLarge):
            # One that has just died or is busy; the pings see to that.
            return
        self._complaint = ""
        judge(names)

    def _names(self) -> frozenset[str]:
        deadline = time.monotonic() + LISTING_TIMEOUT_SECONDS
        names: set[str] = set()
        path = "/models"
        for _ in range(MAX_PAGES):
            listed, token = _read(self._get(path, max(deadline - time.monotonic(), 0.001)))
            names.update(listed)
            if token is None:
                return frozenset(names)
            path = f"/models?next_page_token={quote(token, safe='')}"
        raise BadListing(f"it has more than {MAX_PAGES} pages")


def _read(answer: ContainerAnswer) -> tuple[list[str], str | None]:
    """The names on one page, and the token of the next page if there is one."""
    if answer.status != 200:
        raise BadListing(f"the container answered {answer.status}")
    try:
        page = json.loads(answer.body)
        names, token = [model["modelName"] for model in page["models"]], page.get("nextPageToken")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadListing('its answer is not {"models": [{"modelName": ..., "modelUrl": ...}]}') from None
    if not all(isinstance(text, str) for text in (*names, token or "")):
        raise BadListing("a modelName or the nextPageToken is not a string")
    return names, token or None
