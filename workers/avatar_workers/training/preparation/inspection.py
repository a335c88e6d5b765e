"""Measure what decides whether a photo helps: its sharpness, and whether it is there already.

Sharpness is the variance of the Laplacian (Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy"),
at the resolution that will be trained: blur that vanishes on scaling down does no harm. Likeness is the Hamming
distance of perceptual hashes (imagehash, pHash), the mirrored picture included: a burst of nearly equal photos teaches
a model that one moment by heart instead of the person.

The thresholds were chosen on rendered people (dev/synthetic_people), where sharp photos of one person differ by 30 bits
of 256 at least and recompressed copies by 2 at most.
"""

from dataclasses import dataclass

import cv2
import imagehash
import numpy as np
from PIL import Image, ImageOps

MIN_SHARPNESS = 20.0
HASH_SIDE = 16
MAX_DUPLICATE_DISTANCE = 16


@dataclass(frozen=True)
class Fingerprint:
    """Perceptual hashes of a picture and of its mirror image."""

    upright: imagehash.ImageHash
    mirrored: imagehash.ImageHash

    @classmethod
    def of(cls, image: Image.Image) -> "Fingerprint":
        """The fingerprint of a picture."""
        return cls(
            imagehash.phash(image, hash_size=HASH_SIDE),
            imagehash.phash(ImageOps.mirror(image), hash_size=HASH_SIDE),
        )

    def shows_the_same_as(self, other: "Fingerprint") -> bool:
        """Whether two pictures are nearly the same, or mirror images."""
        distance = min(self.upright - other.upright, self.upright - other.mirrored)
        return bool(distance <= MAX_DUPLICATE_DISTANCE)


def sharpness(image: Image.Image, *, resolution: int) -> float:
    """Variance of the Laplacian (grey levels squared) of the picture, its shorter side brought to `resolution` pixels."""
    scale = resolution / min(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    grey = np.asarray(image.convert("L").resize(size, Image.Resampling.LANCZOS))
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())
