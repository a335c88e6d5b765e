"""`python -m container_images build` has docker, podman or buildah build the images; `... quick IMAGE` makes one without any of them."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from container_images.base import base_tar
from container_images.cache import cache_directory
from container_images.errors import ImageError
from container_images.images import IMAGES, Image, image_named, project_version
from container_images.quick import quick_image
from container_images.standard_tool import BuildOrder, bring_base, build, find_tool, revision
from container_images.uv_program import find_uv


def main(arguments: list[str] | None = None) -> int:
    """Run the command line, and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        (_build if options.command == "build" else _quick)(options)
    except (ImageError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _build(options: argparse.Namespace) -> None:
    images = [image_named(name) for name in options.image] or list(IMAGES)
    tool = find_tool(options.tool)
    given = dict(options.build_arg)
    if options.own_base:
        given["BASE"] = bring_base(tool, base_tar(cache_directory()))
    order = BuildOrder(options.tag, revision(), given, options.ca)
    for image in images:
        began = time.monotonic()
        build(tool, image, order)
        print(f"{image.name}:{options.tag} is built ({tool}, {time.monotonic() - began:.0f} s)")


def _quick(options: argparse.Namespace) -> None:
    image: Image = image_named(options.image)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="avatar-image-") as work:
        made = quick_image(image, find_uv(), cache_directory(), Path(work), revision())
        digest = made.write(options.out, options.name or f"{image.name}:{options.tag}")
    print(f"{options.out}: {digest}, {made.size_beside_base / 1e6:.0f} MB beside its base")


def _name_and_value(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="container_images", description=(__doc__ or "").strip())
    commands = parser.add_subparsers(dest="command", required=True)
    names = ", ".join(image.name for image in IMAGES)

    standard = commands.add_parser("build", help="have a standard tool build images from their Dockerfiles")
    standard.add_argument("image", nargs="*", help=f"which; all of {names} if none is named")
    standard.add_argument("--tool", help="docker, podman or buildah; the first that works here if not given")
    standard.add_argument("--ca", type=Path, help="certificates to trust while packages are fetched")
    standard.add_argument(
        "--own-base", action="store_true", help="on a base of Debian's packages, without a registry"
    )
    standard.add_argument(
        "--build-arg",
        action="append",
        default=[],
        type=_name_and_value,
        metavar="NAME=VALUE",
        help="for the Dockerfile",
    )

    quick = commands.add_parser("quick", help="make one image as an OCI archive, without a daemon")
    quick.add_argument("image", help=names)
    quick.add_argument("--out", type=Path, required=True, help="the archive to write")
    quick.add_argument("--name", help="with tag, as containerd shall know it; by default IMAGE:TAG")
    for command in (standard, quick):
        command.add_argument(
            "--tag", default=project_version(), help="the images' tag; by default the version"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
