"""The example's objects at the stages of their lives, for tests of what the demo says about them."""

from __future__ import annotations

from typing import Any

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_demo.example import Example, load_example
from avatar_demo.observation import ReceivedEvent
from avatar_demo.settings import EXAMPLE

PLACEHOLDERS = {
    "AWS_ACCOUNT_ID": "123456789012",
    "AVATARS_QUEUE_URL": "http://127.0.0.1:4566/123456789012/avatars-operator",
    "BASE_MODEL_SHA256": "0" * 64,
}


def example() -> Example:
    return load_example(EXAMPLE, PLACEHOLDERS)


def condition(kind: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": 1,
    }


def runtime(**status: Any) -> AvatarRuntime:
    return AvatarRuntime.model_validate(_with_status(example().runtime.to_wire(), "uid-runtime", status))


def model(**status: Any) -> AvatarModel:
    return AvatarModel.model_validate(_with_status(example().model.to_wire(), "uid-model", status))


def request(**status: Any) -> AvatarRequest:
    return AvatarRequest.model_validate(_with_status(example().request.to_wire(), "uid-request", status))


def succeeded_event(uid: str = "uid-request") -> ReceivedEvent:
    return ReceivedEvent(
        type="dev.avatars.request.succeeded.v1alpha1",
        time="2026-01-01T00:00:00Z",
        subject="demo/ann-portraits",
        uid=uid,
        data={"object": {"uid": uid}, "message": "10 pictures"},
    )


def _with_status(body: dict[str, Any], uid: str, status: dict[str, Any]) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], "uid": uid}, "status": status}
