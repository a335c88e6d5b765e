"""docs/argocd-health.lua: what Argo CD shows of objects as the operator leaves them.

Argo CD runs such a script in Lua 5.1, with the object in the global `obj`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from lupa import lua51

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.avatar_request import AvatarRequestStatus
from avatar_operator.model_lifecycle import lifecycle as models
from avatar_operator.request_lifecycle import lifecycle as requests
from avatar_operator.runtime_lifecycle import lifecycle as runtimes
from builders import model_stages, request_stages
from builders.clock import NOON
from builders.manifests import Changes, Manifest, merged, model_manifest, request_manifest, runtime_manifest
from builders.objects import a_condition, a_model, a_request, a_runtime, photos
from builders.observations import observed_model, observed_request, observed_runtime
from documents.pages import DOCS

SCRIPT = (DOCS / "argocd-health.lua").read_text()
RUNTIME = a_runtime(spec={"baseModel": {"sha256": "a" * 64}})
"""It has the base that artifacts of the builders were trained on."""
NOT_LOOKED_AT = "The operator has not looked yet."


def health(body: Mapping[str, Any]) -> tuple[str, str]:
    """What Argo CD shows of an object: a word and a message."""
    lua = lua51.LuaRuntime()
    lua.globals().obj = lua.table_from(body, recursive=True)
    shown = lua.execute(SCRIPT)
    return shown.status, shown.message


def a_body(manifest: Manifest, status: Mapping[str, Any], *, generation: int = 1) -> Manifest:
    return merged(manifest, {"metadata": {"generation": generation}, "status": status})


def model_after_a_pass(
    status: AvatarModelStatus,
    *,
    spec: Changes | None = None,
    deleted_at: datetime | None = None,
    count: int = 12,
) -> Manifest:
    """A model of this status, as one pass of the operator leaves it."""
    model = a_model(spec=spec, status=status, deleted_at=deleted_at)
    observation = observed_model(model, runtime=RUNTIME, photos=photos(count), planned_here=True)
    draft = models.summarise(observation, models.decide(observation))
    return a_body(model_manifest(spec=spec), draft.status.to_wire())


def request_after_a_pass(status: AvatarRequestStatus, *, spec: Changes | None = None) -> Manifest:
    """A request of this status, as one pass of the operator leaves it."""
    model = a_model(status=model_stages.hosted())
    observation = observed_request(
        a_request(spec=spec, status=status), model=model, existing=frozenset(), now=NOON
    )
    draft = requests.summarise(observation, requests.decide(observation))
    return a_body(request_manifest(spec=spec), draft.status.to_wire())


def test_a_model_that_failed_is_degraded_and_says_what_failed() -> None:
    word, message = health(model_after_a_pass(model_stages.failed()))
    assert (word, message) == ("Degraded", "TooFewUsablePhotos")


@pytest.mark.parametrize(
    "status",
    [
        model_stages.waiting(),
        model_stages.planned(),
        model_stages.submitted(),
        model_stages.working(since=NOON),
        model_stages.failed(retry_in=60),
    ],
    ids=["waiting", "planned", "submitted", "working", "failed, and to be tried again"],
)
def test_a_model_that_is_trained_is_progressing(status: AvatarModelStatus) -> None:
    assert health(model_after_a_pass(status))[0] == "Progressing"


def test_a_model_that_is_ready_is_healthy() -> None:
    assert health(model_after_a_pass(model_stages.hosted())) == ("Healthy", "Serving revision 1.")


def test_a_model_that_is_refused_is_degraded_and_says_why() -> None:
    word, message = health(model_after_a_pass(model_stages.waiting(), count=0))
    assert word == "Degraded"
    assert message.startswith("0 photos were found")


def test_a_model_whose_next_revision_failed_is_degraded_although_the_former_one_is_ready() -> None:
    status = model_stages.failed(revision=2).model_copy(update={"artifact": model_stages.hosted().artifact})
    hosted = a_condition("Hosted", "True", "Verified")
    status = status.model_copy(update={"conditions": [*status.conditions, hosted]})
    body = model_after_a_pass(status, spec={"revision": 2})
    ready = next(entry for entry in body["status"]["conditions"] if entry["type"] == "Ready")

    assert (ready["status"], health(body)[0]) == ("True", "Degraded")


def test_a_model_that_is_suspended_is_suspended() -> None:
    assert health(model_after_a_pass(model_stages.waiting(), spec={"suspend": True}))[0] == "Suspended"


def test_a_model_that_is_deleted_is_progressing() -> None:
    word, message = health(model_after_a_pass(model_stages.hosted(), deleted_at=NOON))
    assert (word, message) == ("Progressing", "The model and its data are being deleted.")


def test_a_request_that_is_drawn_is_progressing_and_healthy_in_the_end() -> None:
    drawing = request_after_a_pass(request_stages.drawing())
    assert health(drawing)[0] == "Progressing"
    assert health(request_after_a_pass(request_stages.succeeded()))[0] == "Healthy"


def test_a_request_that_is_refused_is_degraded_and_says_why() -> None:
    word, message = health(
        request_after_a_pass(AvatarRequestStatus(), spec={"output": {"prefix": "s3://elsewhere/"}})
    )
    assert word == "Degraded"
    assert "s3://elsewhere/" in message


def test_a_runtime_that_is_refused_is_degraded_and_says_why() -> None:
    same = {"training": {"endpointName": "avatars"}, "inference": {"endpointName": "avatars"}}
    spec = {"backend": {"sagemaker": same}}
    observation = observed_runtime(a_runtime(spec=spec))
    draft = runtimes.summarise(observation, runtimes.decide(observation))
    word, message = health(a_body(runtime_manifest(spec=spec), draft.status.to_wire()))
    assert word == "Degraded"
    assert "endpoint avatars" in message


@pytest.mark.parametrize("status", [model_stages.hosted(), model_stages.failed()], ids=["ready", "failed"])
def test_what_is_said_of_a_former_generation_counts_for_nothing(status: AvatarModelStatus) -> None:
    seen = model_after_a_pass(status)
    assert health(merged(seen, {"metadata": {"generation": 2}})) == ("Progressing", NOT_LOOKED_AT)


@pytest.mark.parametrize(
    "status", [{}, {"observedGeneration": 1}, {"observedGeneration": 1, "conditions": []}]
)
def test_an_object_that_was_not_looked_at_yet_is_progressing(status: Mapping[str, Any]) -> None:
    assert health(a_body(model_manifest(), status)) == ("Progressing", NOT_LOOKED_AT)


def test_an_object_without_any_status_is_progressing() -> None:
    assert health(merged(model_manifest(), {"metadata": {"generation": 1}})) == ("Progressing", NOT_LOOKED_AT)


@pytest.mark.parametrize("message", [None, ""], ids=["absent", "empty"])
def test_a_condition_without_a_message_shows_its_reason(message: str | None) -> None:
    ready = merged(a_condition("Ready", "True", "Ready").to_wire(), {"message": message})
    status = {"observedGeneration": 1, "conditions": [ready]}
    assert health(a_body(model_manifest(), status)) == ("Healthy", "Ready")
