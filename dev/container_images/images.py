"""Which images there are, and what goes into each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from container_images.errors import ImageError

PROJECT = Path(__file__).resolve().parents[2]
HOME = "opt/avatar"
"""Where an image keeps all that is ours, without the leading slash."""


@dataclass(frozen=True)
class Image:
    """An image that we ship.

    Attributes:
        name: without tag.
        dockerfile: relative to the repository.
        target: the stage to build; None is the last one.
        extra: the extra of `pyproject.toml` whose packages it holds.
        packages: our own packages in it, relative to the repository.
        program: the one entry point that is left in it.
        without_bytecode: paths that are not compiled ahead; empty compiles everything.
    """

    name: str
    dockerfile: str
    target: str | None
    extra: str
    packages: tuple[str, ...]
    program: str
    without_bytecode: str = ""


_WORKERS = ("crds/avatar_api", "workers/avatar_workers")
IMAGES = (
    Image(
        "avatar-operator",
        "operator/Dockerfile",
        None,
        "operator",
        ("crds/avatar_api", "operator/avatar_operator"),
        "avatar-operator",
        # Two thousand modules, of which the operator loads ten.
        without_bytecode="/kubernetes/.*client/(api|models)/",
    ),
    Image("avatar-trainer", "workers/Dockerfile", "trainer", "workers", _WORKERS, "avatar-workers"),
    Image("avatar-server", "workers/Dockerfile", "server", "workers", _WORKERS, "avatar-workers"),
    Image("sagemaker-local", "aws/Dockerfile", None, "local", ("aws/sagemaker_local",), "sagemaker-local"),
)


def project_version() -> str:
    """The version in `pyproject.toml`."""
    version: str = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    return version


def image_named(name: str) -> Image:
    """The image of this name.

    Raises:
        ImageError: there is none.
    """
    for image in IMAGES:
        if image.name == name:
            return image
    raise ImageError(f"there is no image {name}; there are {', '.join(image.name for image in IMAGES)}")
