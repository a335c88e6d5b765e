"""AvatarModels, AvatarRequests and AvatarRuntimes as the operator sees them: typed, complete, and held by its finalizer.

Changes to a spec are given as they are spelled in YAML and merged deeply; None takes a field away.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from avatar_api.avatar_model import ArtifactStatus, AvatarModel, AvatarModelStatus
from avatar_api.avatar_request import AvatarRequest, AvatarRequestStatus
from avatar_api.avatar_runtime import AvatarRuntime, AvatarRuntimeStatus
from avatar_api.documents.training import PhotoLocation
from avatar_api.group import FINALIZER
from avatar_api.meta import Condition, ConditionStatus
from builders.clock import NOON
from builders.manifests import Changes, merged, model_manifest, request_manifest, runtime_manifest

MODEL_UID = "11111111-2222-3333-4444-555555555555"
REQUEST_UID = "66666666-7777-8888-9999-000000000000"
RUNTIME_UID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
HELD = (FINALIZER,)


def a_condition(
    condition_type: str,
    status: ConditionStatus = "True",
    reason: str = "Because",
    message: str = "",
    *,
    since: datetime = NOON,
    generation: int = 1,
) -> Condition:
    """A condition."""
    return Condition(
        type=condition_type,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=since,
        observed_generation=generation,
    )


def a_model(
    *,
    name: str = "ann",
    namespace: str = "team-a",
    uid: str = MODEL_UID,
    generation: int = 1,
    finalizers: Sequence[str] = HELD,
    deleted_at: datetime | None = None,
    spec: Changes | None = None,
    status: AvatarModelStatus | None = None,
) -> AvatarModel:
    """An AvatarModel of team-a, on twelve photos, with the runtime `standard`."""
    manifest = model_manifest(name=name, namespace=namespace, spec=spec)
    return AvatarModel.model_validate(
        _observed(manifest, uid, generation, finalizers, deleted_at)
    ).model_copy(update={"status": status or AvatarModelStatus()})


def a_request(
    *,
    name: str = "portraits",
    namespace: str = "team-a",
    uid: str = REQUEST_UID,
    generation: int = 1,
    finalizers: Sequence[str] = HELD,
    deleted_at: datetime | None = None,
    created_at: datetime = NOON,
    spec: Changes | None = None,
    status: AvatarRequestStatus | None = None,
) -> AvatarRequest:
    """An AvatarRequest of team-a: two pictures of one prompt with the model `ann`."""
    manifest = request_manifest(name=name, namespace=namespace, spec=spec)
    observed = merged(
        _observed(manifest, uid, generation, finalizers, deleted_at),
        {"metadata": {"creationTimestamp": created_at}},
    )
    return AvatarRequest.model_validate(observed).model_copy(
        update={"status": status or AvatarRequestStatus()}
    )


def a_runtime(
    *,
    name: str = "standard",
    uid: str = RUNTIME_UID,
    generation: int = 1,
    finalizers: Sequence[str] = HELD,
    deleted_at: datetime | None = None,
    ready: bool = True,
    spec: Changes | None = None,
    status: AvatarRuntimeStatus | None = None,
) -> AvatarRuntime:
    """An AvatarRuntime on SageMaker, open to every namespace; its endpoints are in service unless `ready` is False."""
    conditions = [a_condition("EndpointsReady", "True" if ready else "False", "InService")]
    manifest = runtime_manifest(name=name, spec=spec)
    return AvatarRuntime.model_validate(
        _observed(manifest, uid, generation, finalizers, deleted_at)
    ).model_copy(update={"status": status or AvatarRuntimeStatus(conditions=conditions, state="Ready")})


def an_artifact(*, revision: int = 1, attempt: int = 1, uid: str = MODEL_UID) -> ArtifactStatus:
    """A hosted artifact of a model of team-a."""
    target_model = f"team-a/{uid}/r{revision}-a{attempt}.tar.gz"
    return ArtifactStatus(
        uri=f"s3://models/artifacts/{target_model}",
        target_model=target_model,
        sha256="a" * 64,
        weights_sha256="d" * 64,
        size_bytes=3_000_000,
        base_model="s3://models/base/@aaaaaaaaaaaa",
        revision=revision,
    )


def photos(count: int = 12) -> tuple[PhotoLocation, ...]:
    """Photos as they are found in storage."""
    return tuple(
        PhotoLocation(uri=f"s3://photos/team-a/ann/{index:02d}.jpg", etag=f"etag-{index}")
        for index in range(count)
    )


def _observed(
    manifest: Mapping[str, Any],
    uid: str,
    generation: int,
    finalizers: Sequence[str],
    deleted_at: datetime | None,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "uid": uid,
        "generation": generation,
        "resourceVersion": "1",
        "finalizers": list(finalizers),
        "creationTimestamp": NOON,
        "deletionTimestamp": deleted_at,
    }
    return merged(manifest, {"metadata": metadata})
