"""What holds for every Dockerfile of ours, read from the files themselves."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from container_images.dockerfile import Dockerfile, Stage
from container_images.errors import ImageError
from container_images.images import HOME, IMAGES, PROJECT, Image, image_named
from container_images.uv_program import find_uv, makefile_uv_version

each_image = pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
REVISION = "0123456789abcdef"


def _read(image: Image) -> Dockerfile:
    return Dockerfile.read(PROJECT / image.dockerfile)


def _build_stage(image: Image) -> Stage:
    return _read(image).stage("build")


@each_image
def test_what_builds_it_is_not_in_it(image: Image) -> None:
    file = _read(image)
    lineage = file.lineage(file.stage(image.target))
    assert "build" not in {stage.name for stage in lineage}
    assert [text for stage in lineage for text in stage.of("COPY")] == [f"--from=build /{HOME} /{HOME}"]


@each_image
def test_it_runs_as_a_number_that_is_not_root(image: Image) -> None:
    assert _read(image).words(image.target, {}).user == "65532:65532"


@each_image
def test_its_labels_say_what_it_is_and_of_which_revision(image: Image) -> None:
    labels = _read(image).words(image.target, {"REVISION": REVISION, "VERSION": "1.2.3"}).labels
    named = {
        name.removeprefix("org.opencontainers.image."): value
        for name, value in labels.items()
        if name.startswith("org.opencontainers.image.")
    }
    assert named.pop("description")
    assert named == {
        "title": image.name,
        "licenses": "Apache-2.0",
        "version": "1.2.3",
        "revision": REVISION,
        "base.name": "python:3.11-slim-bookworm",
    }


@each_image
def test_every_base_is_one_release_and_can_be_replaced(image: Image) -> None:
    file = _read(image)
    own = {stage.name for stage in file.stages}
    assert {stage.base for stage in file.stages} - own == {"${BASE}"}
    assert re.fullmatch(r"python:3\.11-slim-[a-z]+", file.arguments["BASE"])


@each_image
def test_its_uv_is_that_of_the_makefile(image: Image) -> None:
    assert f"UV_VERSION={makefile_uv_version()}" in _build_stage(image).of("ARG")
    installed = [text for text in _build_stage(image).of("RUN") if "pip install" in text and "uv==" in text]
    assert len(installed) == 1
    assert '"uv==${UV_VERSION}"' in installed[0]


@each_image
def test_packages_come_from_the_lock_by_checksum(image: Image) -> None:
    run = " && ".join(_build_stage(image).of("RUN"))
    said = run if image.extra != "workers" else (PROJECT / "workers/write_requirements.sh").read_text()
    assert f"export --quiet --frozen --no-dev --no-emit-project --extra {image.extra}" in said
    installs = re.findall(r"uv pip install (.*?)(?:&&|;|$)", run)
    assert [words for words in installs if "--require-hashes" not in words] == ["--quiet --no-deps . "]


@each_image
def test_it_is_given_its_own_packages_and_keeps_its_own_program(image: Image) -> None:
    stage = _build_stage(image)
    given = {text.split()[0] for text in stage.of("COPY")}
    assert {path for path in given if "/" in path} - {"workers/write_requirements.sh"} == {
        *image.packages,
        "dev/dependency_audit",
    }
    run = " ".join(stage.of("RUN"))
    assert f"! -name 'python*' ! -name {image.program} -delete" in run
    assert f"--extra {image.extra} --out /{HOME}/share/doc/{image.program}" in run
    assert (f"-x '{image.without_bytecode}'" if image.without_bytecode else "unchecked-hash /opt") in run


@each_image
def test_what_it_starts_is_in_its_own_environment(image: Image) -> None:
    words = _read(image).words(image.target, {})
    assert words.entrypoint[0].startswith(f"/{HOME}/bin/")
    assert words.environment["PATH"].startswith(f"/{HOME}/bin:")


@each_image
def test_a_build_sees_only_what_the_ignore_file_lets_through(image: Image) -> None:
    allowed = {
        line.removeprefix("!")
        for line in (PROJECT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    needed = {path for text in _build_stage(image).of("COPY") for path in text.split()[:-1]}
    assert needed - allowed == set()
    assert [path for path in allowed if not (PROJECT / path).exists()] == []


@pytest.mark.parametrize(("name", "many"), [("avatar-trainer", False), ("avatar-server", True)])
def test_the_workers_keep_sagemakers_contract(name: str, many: bool) -> None:
    image = image_named(name)
    words = _read(image).words(image.target, {})
    assert words.ports == ["8080"]
    assert words.environment["AVATAR_BIND_ADDRESS"] == "0.0.0.0"  # noqa: S104
    capabilities = "com.amazonaws.sagemaker.capabilities"
    assert words.labels[f"{capabilities}.accept-bind-to-port"] == "true"
    assert (words.labels.get(f"{capabilities}.multi-models") == "true") == many
    assert _read(image).stage("workers").of("RUN") == ["mkdir -m 1777 /opt/ml"]


def test_no_dockerfile_names_a_registry() -> None:
    for image in IMAGES:
        assert not re.search(r"https?://|\w\.(io|com|org)/", (PROJECT / image.dockerfile).read_text())


def test_there_is_no_image_of_another_name() -> None:
    with pytest.raises(ImageError, match="there is no image operator; there are avatar-operator, "):
        image_named("operator")


def _requirements(tmp_path: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], str, str]:
    for name in ("pyproject.toml", "uv.lock", "README.md"):
        (tmp_path / name).symlink_to(PROJECT / name)
    done = subprocess.run(
        ["sh", PROJECT / "workers/write_requirements.sh"],
        cwd=tmp_path,
        env={"UV": find_uv(), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    files = [tmp_path / name for name in ("locked.txt", "torch.txt")]
    locked, torch = (file.read_text() if file.exists() else "" for file in files)
    return done, locked, torch


def _names(requirements: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", requirements, re.MULTILINE))


def test_workers_for_cuda_have_the_torch_of_the_lock(tmp_path: Path) -> None:
    done, locked, torch = _requirements(tmp_path, VARIANT="cuda")
    assert (done.returncode, torch) == (0, "")
    assert {"torch", "triton", "diffusers", "nvidia-cudnn-cu13"} <= _names(locked)


def test_workers_without_cuda_have_the_same_version_of_torch_by_the_checksum_that_was_given(
    tmp_path: Path,
) -> None:
    done, locked, torch = _requirements(tmp_path, VARIANT="cpu", TORCH_SHA256="ab12")
    assert done.returncode == 0
    assert {name for name in _names(locked) if re.match("torch|triton|nvidia|cuda", name)} == set()
    # torch itself needs these, and the lock pins them.
    assert {"sympy", "networkx", "jinja2", "diffusers"} <= _names(locked)
    pinned = re.search(r'^name = "torch"\nversion = "(.*)"$', (PROJECT / "uv.lock").read_text(), re.MULTILINE)
    assert pinned
    assert torch == f"torch=={pinned[1]} --hash=sha256:ab12\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [({"VARIANT": "cpu"}, "needs TORCH_SHA256"), ({"VARIANT": "gpu"}, "VARIANT is cuda or cpu, not 'gpu'")],
)
def test_workers_of_no_known_kind_are_refused(tmp_path: Path, given: dict[str, str], said: str) -> None:
    done, _, _ = _requirements(tmp_path, **given)
    assert done.returncode != 0
    assert said in done.stderr
