"""Manifests as a user would type them, valid and small. Changes are merged deeply; None takes a field away."""

from collections.abc import Mapping
from typing import Any

from avatar_api.group import API_VERSION

Changes = Mapping[str, Any]
Manifest = dict[str, Any]

SIMULATED: Manifest = {"sagemaker": None, "simulated": {}}
"""Change to a runtime's `backend`: the other member of the union."""


WITH_TOPIC: Manifest = {"notifications": {"statusTopicARN": "arn:aws:sns:eu-central-1:123456789012:avatars"}}
"""Change to a runtime's spec: it tells what happens."""


def merged(base: Mapping[str, Any], changes: Changes | None) -> Manifest:
    """`base` with changes merged into it, as a JSON merge patch would (RFC 7386)."""
    result: Manifest = dict(base)
    for name, change in (changes or {}).items():
        if change is None:
            result.pop(name, None)
        elif isinstance(change, Mapping):
            known = result.get(name)
            result[name] = merged(known if isinstance(known, Mapping) else {}, change)
        else:
            result[name] = change
    return result


def covers(whole: object, part: object) -> bool:
    """Whether everything that `part` says is said by `whole`, which may say more."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(
            name in whole and covers(whole[name], value) for name, value in part.items()
        )
    return whole == part


def model_manifest(*, name: str = "ann", namespace: str = "team-a", spec: Changes | None = None) -> Manifest:
    """An AvatarModel."""
    default = {
        "runtimeRef": {"name": "standard"},
        "photos": {"s3Prefix": f"s3://photos/{namespace}/{name}/"},
    }
    return _manifest("AvatarModel", {"name": name, "namespace": namespace}, merged(default, spec))


def request_manifest(
    *, name: str = "portraits", namespace: str = "team-a", spec: Changes | None = None
) -> Manifest:
    """An AvatarRequest."""
    default = {
        "modelRef": {"name": "ann"},
        "prompts": [{"prompt": "a photo of sks person on the moon", "numImages": 2, "seed": 7}],
    }
    return _manifest("AvatarRequest", {"name": name, "namespace": namespace}, merged(default, spec))


def runtime_manifest(*, name: str = "standard", spec: Changes | None = None) -> Manifest:
    """An AvatarRuntime on SageMaker whose endpoints the operator owns."""
    default = {
        "backend": {
            "sagemaker": {
                "region": "eu-central-1",
                "executionRoleARN": "arn:aws:iam::123456789012:role/avatars",
                "training": {"endpointName": "avatar-training", "image": "registry.example/workers:1"},
                "inference": {"endpointName": "avatar-inference", "image": "registry.example/workers:1"},
                "notifications": {
                    "successTopicARN": "arn:aws:sns:eu-central-1:123456789012:success",
                    "errorTopicARN": "arn:aws:sns:eu-central-1:123456789012:error",
                    "queueURL": "https://sqs.eu-central-1.amazonaws.com/123456789012/avatars",
                },
            }
        },
        "baseModel": {"source": "s3://models/base/", "sha256": "b" * 64},
        "storage": {
            "requests": "s3://models/requests/",
            "artifacts": "s3://models/artifacts/",
            "outputs": "s3://pictures/",
            "allowed": {"photos": ["s3://photos/{namespace}/"], "outputs": ["s3://albums/{namespace}/"]},
        },
        "tenancy": {"allowedNamespaces": ["*"]},
    }
    return _manifest("AvatarRuntime", {"name": name}, merged(default, spec))


def _manifest(kind: str, metadata: Changes, spec: Changes) -> Manifest:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": dict(metadata), "spec": dict(spec)}
