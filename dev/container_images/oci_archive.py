"""Writes images in the OCI layout as one tar file, with the standard library alone: `ctr images import` and `skopeo` read it.

Layers stay uncompressed: whoever imports one on the same machine would only undo the work. The same content gives the same bytes,
so a layer's digest says whether two images hold the same: order, owner and times of files are fixed.

Source: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from container_images.dockerfile import ImageWords

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Layer:
    """A tar file that is laid over what is below it.

    Attributes:
        path: of the tar file, uncompressed.
        digest: `sha256:...` of its bytes.
        size: in bytes.
    """

    path: Path
    digest: str
    size: int

    @classmethod
    def of_tar(cls, path: Path) -> Layer:
        """The layer that a tar file is."""
        with path.open("rb") as file:
            return cls(path, f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}", path.stat().st_size)

    @classmethod
    def of_folder(cls, folder: Path, path: Path) -> Layer:
        """Pack a folder, whose content becomes the content of the image's root.

        Args:
            folder: what to pack.
            path: the tar file to write.
        """
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
            for found in sorted(folder.rglob("*")):
                entry = tar.gettarinfo(found, arcname=str(found.relative_to(folder)))
                _make_plain(entry)
                if entry.isreg():
                    with found.open("rb") as file:
                        tar.addfile(entry, file)
                else:
                    tar.addfile(entry)
        return cls.of_tar(path)


def write_archive(path: Path, name: str, layers: Sequence[Layer], words: ImageWords) -> str:
    """Write an image.

    Args:
        path: the tar file to write.
        name: with tag, as containerd shall know it.
        layers: the lowest one first.
        words: what it says of itself.

    Returns:
        The digest of its manifest.
    """
    config = _json(image_config(words, layers))
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(config, _CONFIG),
            "layers": [{"mediaType": _LAYER, "digest": layer.digest, "size": layer.size} for layer in layers],
        }
    )
    annotations = {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.rpartition(":")[2],
    }
    index = {
        "schemaVersion": 2,
        "manifests": [{**_descriptor(manifest, _MANIFEST), "annotations": annotations}],
    }
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        _add(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _add(tar, "index.json", _json(index))
        for blob in (config, manifest):
            _add(tar, _blob_name(_digest(blob)), blob)
        for layer in {layer.digest: layer for layer in layers}.values():
            entry = tarfile.TarInfo(_blob_name(layer.digest))
            entry.size = layer.size
            with layer.path.open("rb") as file:
                tar.addfile(entry, file)
    return _digest(manifest)


def image_config(words: ImageWords, layers: Iterable[Layer]) -> dict[str, Any]:
    """The image's configuration. Pure."""
    machine = platform.machine()
    return {
        "architecture": _ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": {
            "User": words.user,
            "Entrypoint": words.entrypoint,
            "Env": [f"{name}={value}" for name, value in words.environment.items()],
            "Labels": words.labels,
            "ExposedPorts": {f"{port}/tcp": {} for port in words.ports},
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
    }


def _make_plain(entry: tarfile.TarInfo) -> None:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    if not entry.issym():
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _blob_name(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
