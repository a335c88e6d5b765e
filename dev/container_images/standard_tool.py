"""Has a standard tool build the images from their Dockerfiles: docker, podman or buildah."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from container_images.errors import ImageError
from container_images.images import PROJECT, Image

OWN_BASE = "localhost/avatar-base:bookworm"
_HOW_TO_ASK = {
    "docker": ["docker", "info"],
    "podman": ["podman", "info"],
    "buildah": ["buildah", "--version"],
}
_CERTIFICATES = "/run/secrets/ca"


@dataclass(frozen=True)
class BuildOrder:
    """How an image shall be built.

    Attributes:
        tag: of the image.
        revision: of the source.
        arguments: other build arguments.
        ca: certificates that a registry of packages is trusted by, beside the base's own.
    """

    tag: str
    revision: str
    arguments: dict[str, str] = field(default_factory=dict)
    ca: Path | None = None


def find_tool(wanted: str | None) -> str:
    """The tool to build with: the wanted one, else the first that works here.

    Raises:
        ImageError: it does not work, or none does.
    """
    for tool in [wanted] if wanted else _HOW_TO_ASK:
        if tool not in _HOW_TO_ASK:
            raise ImageError(f"there is no tool {tool}; there are {', '.join(_HOW_TO_ASK)}")
        if (
            shutil.which(tool)
            and subprocess.run(_HOW_TO_ASK[tool], capture_output=True, check=False).returncode == 0
        ):
            return tool
    raise ImageError(
        f"{wanted} is missing or does not work here"
        if wanted
        else "none of docker, podman and buildah works here (Debian, as root: apt-get install buildah)"
    )


def build_command(tool: str, image: Image, order: BuildOrder) -> list[str]:
    """The command line that builds an image in the repository's root. Pure."""
    arguments = {"VERSION": order.tag, "REVISION": order.revision, **order.arguments}
    if order.ca:
        arguments |= {"SSL_CERT_FILE": _CERTIFICATES, "PIP_CERT": _CERTIFICATES}
    return [
        tool,
        "build",
        # Without a daemon and without user namespaces, as in CI, a RUN is only given another root.
        *(["--isolation=chroot", "--format=oci"] if tool == "buildah" else []),
        f"--file={image.dockerfile}",
        f"--tag={image.name}:{order.tag}",
        *([f"--target={image.target}"] if image.target else []),
        *(f"--build-arg={name}={value}" for name, value in arguments.items()),
        *([f"--secret=id=ca,src={order.ca}"] if order.ca else []),
        ".",
    ]


def build(tool: str, image: Image, order: BuildOrder) -> None:
    """Build it; what the tool says goes to the terminal.

    Raises:
        ImageError: it could not.
    """
    status = subprocess.run(build_command(tool, image, order), cwd=PROJECT, check=False).returncode
    if status != 0:
        raise ImageError(f"{tool} could not build {image.name}: status {status}, see above")


def bring_base(tool: str, tar: Path) -> str:
    """Give the tool a base from a tar file, and return its name.

    Raises:
        ImageError: it did not take it.
    """
    if tool == "buildah":
        container = _said("buildah", "from", "scratch")
        _said("buildah", "add", "--quiet", container, str(tar), "/")
        _said("buildah", "commit", "--quiet", "--rm", container, OWN_BASE)
    else:
        _said(tool, "import", str(tar), OWN_BASE)
    return OWN_BASE


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImageError(f"{' '.join(command[:2])}: {' '.join(done.stderr.split())[-400:]}")
    return done.stdout.strip()


def revision() -> str:
    """The revision of the source, marked if there are changes beside it; `unknown` outside a repository."""
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        return "unknown"
    changes = subprocess.run(
        ["git", "status", "--porcelain"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() + ("-dirty" if changes.stdout.strip() else "")
