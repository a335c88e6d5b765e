"""`examples/01-first-avatar` as a user goes through it: fill in the placeholders, upload photos, `kubectl apply`.

The manifests are applied as they stand, but for their documented placeholders; names, prompts and locations are read
from them, so whoever edits the example sees the demo follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

import yaml
from pydantic import ValidationError

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_demo.aws_account import AwsAccount
from avatar_demo.errors import DemoError
from local_cluster.access import Cluster
from synthetic_people import Person, Photo, photo_set

PERSON_SEED = 9015
"""One of the held-out people: the base model has never seen her."""
PHOTO_COUNT = 12
DELETE_SECONDS = 90


@dataclass(frozen=True)
class Example:
    """The example's three objects, and the text that is applied for them."""

    runtime: AvatarRuntime
    model: AvatarModel
    request: AvatarRequest
    manifests: tuple[str, ...]

    @property
    def namespace(self) -> str:
        """The user's namespace."""
        return self.model.metadata.namespace

    @property
    def photos_prefix(self) -> str:
        """Where the model expects its photos."""
        prefix = self.model.spec.photos.s3_prefix
        if prefix is None:
            raise DemoError("model.yaml: the demo uploads photos to spec.photos.s3Prefix, which is not set")
        return prefix


def load_example(directory: Path, placeholders: Mapping[str, str]) -> Example:
    """Read `runtime.yaml`, `model.yaml` and `request.yaml`.

    Args:
        directory: where they are.
        placeholders: what stands for each `${NAME}`.

    Raises:
        DemoError: a file is missing, has a placeholder that nobody knows, or is no such object.
    """
    texts = [_filled_in(directory / name, placeholders) for name in FILES]
    runtime, model, request = (yaml.safe_load(text) for text in texts)
    try:
        return Example(
            runtime=AvatarRuntime.model_validate(runtime),
            model=AvatarModel.model_validate(model),
            request=AvatarRequest.model_validate(request),
            manifests=tuple(texts),
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise DemoError(
            f"{directory}: {error.title} {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from error


FILES = ("runtime.yaml", "model.yaml", "request.yaml")


def namespace_of(directory: Path) -> str:
    """The namespace of the example's model, known before anything else is."""
    document = yaml.safe_load((directory / "model.yaml").read_text())
    return str(document["metadata"]["namespace"])


def _filled_in(file: Path, placeholders: Mapping[str, str]) -> str:
    try:
        return Template(file.read_text()).substitute(placeholders)
    except KeyError as error:
        known = ", ".join(f"${{{name}}}" for name in sorted(placeholders))
        raise DemoError(
            f"{file}: nobody knows the placeholder ${{{error.args[0]}}}; there are {known}"
        ) from error
    except ValueError as error:
        raise DemoError(f"{file}: {error}; write $$ for a dollar sign") from error


def example_photos() -> list[Photo]:
    """The photos of one person that nobody has a right to: she is drawn."""
    return photo_set(Person.from_seed(PERSON_SEED), PHOTO_COUNT)


def upload_photos(aws: AwsAccount, prefix: str, photos: list[Photo]) -> None:
    """Put the photos, and nothing else, under a prefix."""
    bucket, _, key = prefix.removeprefix("s3://").partition("/")
    wanted = {f"{key}{photo.name}": photo for photo in photos}
    for entry in aws.s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", []):
        if entry["Key"] not in wanted:
            aws.s3.delete_object(Bucket=bucket, Key=entry["Key"])
    for name, photo in wanted.items():
        aws.s3.put_object(Bucket=bucket, Key=name, Body=photo.data, ContentType="image/jpeg")


def delete_earlier_run(cluster: Cluster, example: Example) -> bool:
    """Delete the example's request and model, and wait until the operator has let them go.

    Returns:
        Whether there was anything to delete.

    Raises:
        LocalClusterError: they did not go in time.
    """
    deleted = cluster.kubectl(
        "delete",
        f"avatarrequest/{example.request.metadata.name}",
        f"avatarmodel/{example.model.metadata.name}",
        f"--namespace={example.namespace}",
        "--ignore-not-found",
        "--output=name",
        f"--timeout={DELETE_SECONDS}s",
    )
    return bool(deleted.strip())


def apply_example(cluster: Cluster, example: Example) -> None:
    """Apply the three manifests at once: the operator puts them in order.

    Raises:
        LocalClusterError: the API server refused one.
    """
    # Client-side, as users type it: they can go on with `kubectl apply -f` of the same files.
    cluster.kubectl("apply", "-f", "-", standard_input="\n---\n".join(example.manifests))
