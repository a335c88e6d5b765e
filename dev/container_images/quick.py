"""Makes an image without a daemon, in three seconds: base, the lock's packages, our own, and the words of its Dockerfile."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from container_images.base import RELEASE, base_tar
from container_images.content import content_layers
from container_images.dockerfile import Dockerfile, ImageWords
from container_images.errors import ImageError
from container_images.images import PROJECT, Image, project_version
from container_images.oci_archive import Layer, write_archive


@dataclass(frozen=True)
class QuickImage:
    """An image whose layers lie in files.

    Attributes:
        words: what it says of itself.
        layers: the base, the lock's packages, our own.
    """

    words: ImageWords
    layers: list[Layer]

    def write(self, path: Path, name: str) -> str:
        """Write it as an OCI archive and return its digest; `name` has a tag."""
        return write_archive(path, name, self.layers, self.words)

    @property
    def size_beside_base(self) -> int:
        """Bytes of the layers above the base, uncompressed."""
        return sum(layer.size for layer in self.layers[1:])


def quick_image(image: Image, uv: str, cache: Path, work: Path, revision: str) -> QuickImage:
    """Make an image.

    Args:
        image: which.
        uv: the program.
        cache: where parts are kept between runs.
        work: a folder that lives as long as the result is used.
        revision: of the source, for its label.

    Raises:
        ImageError: it cannot be made here.
    """
    if image.extra == "workers":
        raise ImageError(
            f"{image.name} holds 6 GB of torch: have a standard tool build it (make images), or mount an environment"
        )
    base = Layer.of_tar(base_tar(cache))
    room = Path(tempfile.mkdtemp(dir=work, prefix=f"{image.name}-"))
    words = Dockerfile.read(PROJECT / image.dockerfile).words(
        image.target, {"VERSION": project_version(), "REVISION": revision, "BASE": f"debian:{RELEASE}"}
    )
    return QuickImage(words, [base, *content_layers(image, uv, cache, room)])
