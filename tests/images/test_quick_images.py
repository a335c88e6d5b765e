"""The images: what is in them and what is not, and that they run by any number on a root that cannot be written."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tarfile
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from builders.container_root import RANDOM_UID, ContainerRoot
from container_images.base import base_tar
from container_images.cache import cache_directory
from container_images.images import HOME
from container_images.quick import QuickImage
from images.conftest import REVISION, made

MOST_BYTES = 160_000_000
"""Of the operator's image beside its base, uncompressed."""


@pytest.fixture(scope="session")
def operator_root(operator_image: QuickImage, tmp_path_factory: pytest.TempPathFactory) -> ContainerRoot:
    """Nothing in it can be written, /tmp neither."""
    return ContainerRoot.unpack(operator_image, tmp_path_factory.mktemp("operator-root") / "root")


def _files(image: QuickImage) -> set[str]:
    found: set[str] = set()
    for layer in image.layers[1:]:
        with tarfile.open(layer.path) as tar:
            found |= set(tar.getnames())
    return found


def _content(image: QuickImage, name: str) -> str:
    with tarfile.open(image.layers[-1].path) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read().decode()


def _installed(files: set[str]) -> set[str]:
    names = (re.search(r"site-packages/([^/]+)-[^-/]+\.dist-info/METADATA$", name) for name in files)
    return {re.sub(r"[-_.]+", "-", found[1]).lower() for found in names if found}


def test_the_operators_image_is_small(operator_image: QuickImage) -> None:
    assert operator_image.size_beside_base < MOST_BYTES


def test_the_same_source_gives_the_same_bytes(operator_image: QuickImage, tmp_path: Path) -> None:
    other_cache = tmp_path / "cache"
    other_cache.mkdir()
    os.link(base_tar(cache_directory()), other_cache / base_tar(cache_directory()).name)
    (tmp_path / "work").mkdir()
    again = made("avatar-operator", other_cache, tmp_path / "work")
    assert [layer.digest for layer in again.layers] == [layer.digest for layer in operator_image.layers]
    digests = {
        image.write(tmp_path / "image.tar", "avatar-operator:test") for image in (again, operator_image)
    }
    assert len(digests) == 1


def test_no_list_of_installed_files_names_what_is_not_in_the_image(operator_image: QuickImage) -> None:
    # A program that is left out has this checkout's interpreter in its first line, and so in its digest.
    files = _files(operator_image)
    site_packages = next(name for name in files if name.endswith("/site-packages"))
    for layer in operator_image.layers[1:]:
        with tarfile.open(layer.path) as tar:
            for record in (name for name in tar.getnames() if name.endswith(".dist-info/RECORD")):
                content = tar.extractfile(record)
                assert content is not None
                listed = {row[0] for row in csv.reader(io.TextIOWrapper(content))}
                assert {f"{site_packages}/{name}" for name in listed} <= files, record


@pytest.mark.parametrize(
    ("fixture", "own", "program"),
    [
        ("operator_image", {"avatar_api", "avatar_operator"}, "avatar-operator"),
        ("sagemaker_image", {"sagemaker_local"}, "sagemaker-local"),
    ],
)
def test_an_image_holds_its_own_package_and_program_alone(
    fixture: str, own: set[str], program: str, request: pytest.FixtureRequest
) -> None:
    files = _files(request.getfixturevalue(fixture))
    assert {name.removeprefix(f"{HOME}/bin/") for name in files if name.startswith(f"{HOME}/bin/")} == {
        "python",
        program,
    }
    ours = ("avatar_api", "avatar_operator", "avatar_workers", "sagemaker_local")
    assert {
        name for name in ours if any(f"/site-packages/{name}/__init__.py" in file for file in files)
    } == own
    assert not _installed(files) & {"torch", "pytest", "hatchling", "pip"}


@pytest.mark.parametrize("fixture", ["operator_image", "sagemaker_image"])
def test_the_bill_of_materials_lists_what_is_in_the_image(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    image: QuickImage = request.getfixturevalue(fixture)
    papers = f"{HOME}/share/doc/{image.words.labels['org.opencontainers.image.title']}"
    bill = json.loads(_content(image, f"{papers}/bill-of-materials.cdx.json"))
    assert bill["bomFormat"] == "CycloneDX"
    listed = {component["name"] for component in bill["components"]}
    assert listed == _installed(_files(image)) - {"avatar-operator"}
    licences = dict(line.split("\t")[::2] for line in _content(image, f"{papers}/licences.tsv").splitlines())
    assert licences.keys() == listed
    assert "not installed here" not in licences.values()


def test_the_archive_says_who_runs_it_and_of_which_revision_it_is(
    operator_image: QuickImage, tmp_path: Path
) -> None:
    operator_image.write(tmp_path / "image.tar", "avatar-operator:test")
    with tarfile.open(tmp_path / "image.tar") as tar:

        def document(name: str) -> dict[str, object]:
            file = tar.extractfile(name)
            assert file is not None
            found: dict[str, object] = json.load(file)
            return found

        def blob(descriptor: object) -> dict[str, object]:
            assert isinstance(descriptor, dict)
            return document(f"blobs/{descriptor['digest'].replace(':', '/')}")

        manifests = document("index.json")["manifests"]
        assert isinstance(manifests, list)
        assert manifests[0]["annotations"]["io.containerd.image.name"] == "avatar-operator:test"
        config = blob(blob(manifests[0])["config"])["config"]
    assert isinstance(config, dict)
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/opt/avatar/bin/avatar-operator"]
    assert config["Labels"]["org.opencontainers.image.revision"] == REVISION


def test_the_operator_tells_its_version_by_any_number_on_a_root_that_cannot_be_written(
    operator_root: ContainerRoot,
) -> None:
    code, out, err = operator_root.run("--version")
    assert (code, out, err) == (0, f"avatar-operator {version('avatar-operator')}\n", "")


def test_the_operator_starts_by_any_number_until_it_wants_its_api_server(
    operator_root: ContainerRoot,
) -> None:
    # Debian's /var/run is a link to /run.
    account = "run/secrets/kubernetes.io/serviceaccount"
    operator_root.put(f"{account}/token", "token")
    operator_root.put(f"{account}/namespace", "avatar-system")
    operator_root.put(f"{account}/ca.crt", Path("/etc/ssl/certs/ca-certificates.crt").read_text())
    code, _, err = operator_root.run(
        KUBERNETES_SERVICE_HOST="127.0.0.1",
        KUBERNETES_SERVICE_PORT="9",
        AVATAR_OPERATOR_START_UP_SECONDS="0",
        AVATAR_OPERATOR_HTTP_PORT="0",
    )
    assert code == 1
    assert "Traceback" not in err
    assert "no answer from the API server: Cannot connect to host 127.0.0.1:9" in err


def test_sagemaker_local_answers_by_any_number_with_nothing_to_write_to_but_tmp(
    sagemaker_image: QuickImage, tmp_path: Path
) -> None:
    root = ContainerRoot.unpack(sagemaker_image, tmp_path / "root", writable=("/tmp",))
    process = root.start("--port", "0")
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/_sagemaker_local/health").json()["status"] == "running"
        assert Path(f"/proc/{root.pid(process)}").stat().st_uid == RANDOM_UID
    finally:
        status = root.end(process)
    assert status == 0
