"""An unpacked model is loaded only if it is what its manifest says, and made for this base."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_api.documents.artifact import MANIFEST_NAME, WEIGHTS_NAME
from avatar_api.documents.training import TrainingRequest
from avatar_workers.artifact.archive import unpack_archive
from avatar_workers.artifact.verification import verify_directory
from avatar_workers.base_model.pipeline import BaseModel
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import S3ObjectStorage
from avatar_workers.training.claim import claim_attempt
from avatar_workers.training.lora import lora_on_base
from avatar_workers.training.packaging import package_and_upload


@pytest.fixture
def unpacked(
    training_request: Callable[..., TrainingRequest],
    base: BaseModel,
    storage: S3ObjectStorage,
    tmp_path: Path,
) -> Path:
    """A model as the training worker packs it."""
    request = training_request()
    (tmp_path / "scratch").mkdir()
    with lora_on_base(base, rank=4, train_text_encoder=True, seed=1) as lora:
        package_and_upload(
            lora,
            request,
            claim_attempt(request, storage),
            photo_count=3,
            storage=storage,
            scratch=tmp_path / "scratch",
        )
    storage.download(request.artifact.uri, tmp_path / "model.tar.gz", max_bytes=1 << 20)
    (tmp_path / "model").mkdir()
    unpack_archive(tmp_path / "model.tar.gz", tmp_path / "model")
    return tmp_path / "model"


def test_a_packed_model_passes(unpacked: Path, base: BaseModel) -> None:
    verified = verify_directory(unpacked, base_sha256=base.sha256, max_rank=4)
    assert verified.manifest.model.name == "ann"
    assert verified.weights.rank == 4


def test_a_model_of_another_base_is_refused(unpacked: Path) -> None:
    with pytest.raises(WorkerFailure, match="was trained on the base") as caught:
        verify_directory(unpacked, base_sha256="0" * 64, max_rank=4)
    assert caught.value.code == "BaseModelMismatch"


def flip_a_weight(directory: Path) -> None:
    content = bytearray((directory / WEIGHTS_NAME).read_bytes())
    content[-1] ^= 1
    (directory / WEIGHTS_NAME).write_bytes(content)


def shorten(directory: Path) -> None:
    (directory / WEIGHTS_NAME).write_bytes((directory / WEIGHTS_NAME).read_bytes()[:-1])


def link(directory: Path) -> None:
    (directory / WEIGHTS_NAME).rename(directory / "elsewhere")
    (directory / WEIGHTS_NAME).symlink_to(directory / "elsewhere")


def list_another_file(directory: Path) -> None:
    manifest = json.loads((directory / MANIFEST_NAME).read_text())
    manifest["files"][0]["path"] = "../../etc/passwd"
    (directory / MANIFEST_NAME).write_text(json.dumps(manifest))


def empty_manifest(directory: Path) -> None:
    (directory / MANIFEST_NAME).write_text("{}")


def no_manifest(directory: Path) -> None:
    (directory / MANIFEST_NAME).unlink()


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (flip_a_weight, "checksum"),
        (shorten, "size"),
        (link, "missing"),
        (list_another_file, "and nothing else"),
        (empty_manifest, "manifest.json: ArtifactManifest: model"),
        (no_manifest, "manifest.json is missing"),
    ],
)
def test_a_damaged_model_is_refused(
    unpacked: Path, base: BaseModel, damage: Callable[[Path], None], problem: str
) -> None:
    damage(unpacked)
    with pytest.raises(WorkerFailure, match=problem) as caught:
        verify_directory(unpacked, base_sha256=base.sha256, max_rank=4)
    assert caught.value.code == "ArtifactInvalid"
