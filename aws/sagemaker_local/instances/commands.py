"""Which command line an image name stands for.

There is no Docker here: an image is a command that listens on `SAGEMAKER_BIND_TO_PORT` and speaks the container contract.
On AWS the image is `<registry>/<repository>:<tag>`; typing all that for a local command would be a nuisance, so a name
given without registry, or without tag, also matches.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

MAX_IMAGES = 256


class UnknownImage(Exception):
    """No command was given for an image."""


def parse_image_option(option: str) -> tuple[str, list[str]]:
    """Read `NAME=COMMAND LINE`, split the way a shell splits words (no other shell syntax).

    Raises:
        ValueError: with one sentence that says what is wrong.
    """
    name, separator, command = option.partition("=")
    if not separator or not name.strip():
        raise ValueError(f"--image {option!r} must look like NAME=COMMAND LINE")
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"--image {name}: the command line cannot be split: {error}") from error
    if not argv:
        raise ValueError(f"--image {name}: the command line is empty")
    return name.strip(), argv


class ImageCommands:
    """The command per image name.

    Arguments:
        commands: argument lists by image name. `{port}` and `{model_dir}` in an argument are replaced per instance, for
            servers that do not read `SAGEMAKER_BIND_TO_PORT`.
    """

    def __init__(self, commands: Mapping[str, Sequence[str]]) -> None:
        if len(commands) > MAX_IMAGES:
            raise ValueError(f"{len(commands)} images were given; the limit is {MAX_IMAGES}")
        self._commands = {name: list(argv) for name, argv in commands.items()}

    def command(self, image: str) -> list[str]:
        """The argument list for an image: by its full name, else without registry, else without tag too.

        Raises:
            UnknownImage: naming the image and the known ones.
        """
        for name in _names(image):
            if name in self._commands:
                return list(self._commands[name])
        known = ", ".join(sorted(self._commands)) or "none"
        raise UnknownImage(
            f"no command is known for image {image!r}: start sagemaker-local with --image '{image}=COMMAND LINE' (known: {known})"
        )


def fill_in(argv: Iterable[str], port: int, model_dir: str) -> list[str]:
    """Replace the placeholders of one instance."""
    return [word.replace("{port}", str(port)).replace("{model_dir}", model_dir) for word in argv]


def _names(image: str) -> list[str]:
    without_registry = (
        image.split("/", 1)[1]
        if "/" in image and ("." in image.split("/", 1)[0] or ":" in image.split("/", 1)[0])
        else image
    )
    without_tag = without_registry.split("@", 1)[0]
    head, separator, tail = without_tag.rpartition(":")
    if separator and "/" not in tail:
        without_tag = head
    return [image, without_registry, without_tag]
