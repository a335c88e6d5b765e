"""Who keeps a runtime from going: models that have something stored by it, and requests that need it. Pure.

Objects are read as they come from the API server: there may be thousands, and some may be of a newer version.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from avatar_api.endings import raw_request_has_ended
from avatar_operator.core.words import counted
from avatar_operator.runtime_lifecycle.work import Body


@dataclass(frozen=True)
class Users:
    """How many use a runtime, and one of them by name."""

    models: int = 0
    requests: int = 0
    example: str = ""

    def __bool__(self) -> bool:
        return self.models + self.requests > 0

    def in_words(self) -> str:
        """`2 AvatarModels and 1 AvatarRequest, such as AvatarModel team-a/ann`."""
        counts = ((self.models, "AvatarModel"), (self.requests, "AvatarRequest"))
        return (
            f"{' and '.join(counted(count, kind) for count, kind in counts if count)}, such as {self.example}"
        )


def users_of(runtime_name: str, models: Iterable[Body], requests: Iterable[Body]) -> Users:
    """The models and requests that a runtime has to outlive.

    A model that has nothing stored does not count: it was refused, or never trained. One that was planned once counts even
    if it is refused now and its plan was withdrawn: a submission that is delayed has stored its request document by then. A
    request counts while it has pictures to draw, while pictures must be removed with it, and while those that are to stay are
    not marked so: if the runtime went first, they would be taken for orphans.

    Args:
        runtime_name: the runtime.
        models: every AvatarModel.
        requests: every AvatarRequest.
    """
    using_models = [body for body in models if _runtime_of(body) == runtime_name and _has_something(body)]
    known = {_place(body) for body in using_models}
    using_requests = [body for body in requests if _request_uses(runtime_name, body, known)]
    examples = [f"AvatarModel {'/'.join(_place(body))}" for body in using_models]
    examples += [f"AvatarRequest {'/'.join(_place(body))}" for body in using_requests]
    return Users(len(using_models), len(using_requests), min(examples, default=""))


def _runtime_of(model: Body) -> str | None:
    recorded = model.get("status", {}).get("storage")
    name: str | None = (
        recorded["runtimeName"] if recorded else model.get("spec", {}).get("runtimeRef", {}).get("name")
    )
    return name


def _has_something(model: Body) -> bool:
    status = model.get("status", {})
    # An operator that recorded no storage has planned attempts all the same.
    planned = status.get("training", {}).get("inferenceId")
    return bool(status.get("storage") or status.get("artifact") or planned)


def _request_uses(runtime_name: str, request: Body, models: set[tuple[str, str]]) -> bool:
    spec, status = request.get("spec", {}), request.get("status", {})
    finished = raw_request_has_ended(request)
    if "runtimeName" not in status:
        namespace, _ = _place(request)
        return not finished and (namespace, spec.get("modelRef", {}).get("name", "")) in models
    if status["runtimeName"] != runtime_name:
        return False
    is_kept = spec.get("deletionPolicy", "Delete") == "Retain" and "retainedTime" in status
    return not finished or ("storagePrefix" in status and not is_kept)


def _place(body: Body) -> tuple[str, str]:
    return body["metadata"]["namespace"], body["metadata"]["name"]
