"""What a base model directory may hold, and its digest.

The digest is the SHA-256 over one line for each file, `<sha256 of the file>  <relative posix path>\\n`, sorted by path:
what `find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum` prints, so that anybody can check it
without us. Every file counts, so a directory holds what a pipeline needs and nothing else: pickled weights (.bin, .pt,
.ckpt ...) run code when they are loaded and are refused by name.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ALLOWED_SUFFIXES = frozenset({".json", ".txt", ".safetensors", ".md", ".model"})
ALLOWED_NAMES = frozenset({"LICENSE", "README", "NOTICE", "COPYING", "SHA256SUMS"})
MAX_FILES = 256


class BaseModelRefused(ValueError):
    """A directory that is no acceptable base model. The message says which file, and why."""


def check_file_name(relative_path: PurePosixPath) -> None:
    """Refuse a file that has no business in a base model's directory.

    Raises:
        BaseModelRefused: pickled weights, hidden files, or anything else that is not on the list.
    """
    if relative_path.is_absolute() or any(part in ("", ".", "..") for part in relative_path.parts):
        raise BaseModelRefused(f"{relative_path}: the path leaves the base model's directory")
    if any(part.startswith(".") for part in relative_path.parts):
        raise BaseModelRefused(f"{relative_path}: hidden files do not belong to a base model; remove it")
    if relative_path.suffix in ALLOWED_SUFFIXES or relative_path.name in ALLOWED_NAMES:
        return
    raise BaseModelRefused(
        f"{relative_path}: only safetensors weights and {', '.join(sorted(ALLOWED_SUFFIXES))} files are accepted"
        " (pickled weights run code when loaded); convert or remove it"
    )


def directory_digest(directory: Path) -> str:
    """The digest of a base model's directory, as 64 hexadecimal digits.

    Raises:
        BaseModelRefused: no directory, no pipeline in it, a file that is not allowed, or too many files.
    """
    if not (directory / "model_index.json").is_file():
        raise BaseModelRefused(
            f"{directory}: no diffusers pipeline stands there (model_index.json is missing)"
        )
    digest = hashlib.sha256()
    for relative_path in sorted(_files(directory), key=str):
        with (directory / relative_path).open("rb") as file:
            file_digest = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{file_digest}  {relative_path}\n".encode())
    return digest.hexdigest()


def _files(directory: Path) -> Iterator[PurePosixPath]:
    count = 0
    for path in directory.rglob("*"):
        relative_path = PurePosixPath(path.relative_to(directory).as_posix())
        if path.is_symlink():
            raise BaseModelRefused(f"{relative_path}: is a symbolic link; copy the file itself")
        if path.is_dir():
            continue
        check_file_name(relative_path)
        count += 1
        if count > MAX_FILES:
            raise BaseModelRefused(f"{directory}: more than {MAX_FILES} files")
        yield relative_path
