"""From an S3 prefix to a checked directory in the cache."""

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_workers.base_model.directory_digest import directory_digest
from avatar_workers.base_model.locate import BaseModelSettings, locate_base_model
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import S3ObjectStorage


@pytest.fixture
def source(s3: Any, bucket: str, base_directory: Path) -> str:
    for path in base_directory.rglob("*"):
        if path.is_file():
            key = f"models/tiny/{path.relative_to(base_directory).as_posix()}"
            s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    return f"s3://{bucket}/models/tiny/"


def test_a_base_is_downloaded_once(
    source: str, base_directory: Path, storage: S3ObjectStorage, tmp_path: Path, s3: Any, bucket: str
) -> None:
    settings = BaseModelSettings(source, directory_digest(base_directory), tmp_path)
    directory = locate_base_model(settings, storage)
    assert directory_digest(directory) == settings.sha256
    s3.delete_object(Bucket=bucket, Key="models/tiny/model_index.json")
    assert locate_base_model(settings, storage) == directory
    assert [path.name for path in tmp_path.iterdir()] == [settings.sha256]


def test_another_digest_than_told_is_refused_and_not_kept(
    source: str, storage: S3ObjectStorage, tmp_path: Path
) -> None:
    with pytest.raises(WorkerFailure, match="has the digest") as caught:
        locate_base_model(BaseModelSettings(source, "0" * 64, tmp_path), storage)
    assert caught.value.code == "BaseModelMismatch"
    assert list(tmp_path.iterdir()) == []


def test_a_pickle_in_the_prefix_is_refused(
    source: str, storage: S3ObjectStorage, tmp_path: Path, s3: Any, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="models/tiny/unet/diffusion_pytorch_model.bin", Body=b"\x80\x04.")
    with pytest.raises(WorkerFailure, match=r"diffusion_pytorch_model\.bin"):
        locate_base_model(BaseModelSettings(source, "0" * 64, tmp_path), storage)


def test_a_key_that_climbs_out_of_the_directory_is_refused(
    storage: S3ObjectStorage, tmp_path: Path, s3: Any, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="m/a/../../../evil.json", Body=json.dumps({}).encode())
    with pytest.raises(WorkerFailure, match="leaves the base model's directory"):
        locate_base_model(BaseModelSettings(f"s3://{bucket}/m/", "0" * 64, tmp_path), storage)


def test_a_base_that_was_changed_in_the_cache_is_noticed(
    source: str, base_directory: Path, storage: S3ObjectStorage, tmp_path: Path
) -> None:
    settings = BaseModelSettings(source, directory_digest(base_directory), tmp_path)
    directory = locate_base_model(settings, storage)
    (directory / "model_index.json").write_text("{}")
    with pytest.raises(WorkerFailure, match="has the digest"):
        locate_base_model(settings, storage)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"AVATAR_BASE_MODEL_SHA256": "0" * 64}, "AVATAR_BASE_MODEL_SOURCE"),
        ({"AVATAR_BASE_MODEL_SOURCE": "s3://b/p/"}, "AVATAR_BASE_MODEL_SHA256"),
        ({"AVATAR_BASE_MODEL_SOURCE": "s3://b/p/", "AVATAR_BASE_MODEL_SHA256": "x"}, "64 hexadecimal"),
    ],
)
def test_settings_that_are_missing_or_malformed_are_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(WorkerFailure, match=named):
        BaseModelSettings.from_environment(environment)
