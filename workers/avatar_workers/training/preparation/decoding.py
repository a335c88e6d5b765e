"""Open a photo that nobody vouches for.

The kind is told from the first bytes, never from the name; the size from the header, before a pixel is decoded. What
comes out is upright (EXIF orientation applied), sRGB, without transparency and without any metadata: phones write the
place where a photo was taken into it, and nothing of that may travel further.

It runs in a process of its own (`decoder_process`) and imports Pillow alone, so that this process starts in no time.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageCms, ImageOps

if TYPE_CHECKING:
    from avatar_api.documents.photos import PhotoRejection

MAX_PIXELS: Final = 64_000_000
FORMATS: Final = ("JPEG", "PNG", "WEBP")


class PhotoRejected(Exception):
    """A photo that cannot be used.

    Args:
        rejection: the kind of reason.
        message: the reason for the user, beginning with a verb: "is blurred; ...".
    """

    def __init__(self, rejection: PhotoRejection, message: str) -> None:
        super().__init__(message)
        self.rejection: PhotoRejection = rejection


def decode_photo(content: bytes) -> Image.Image:
    """Decode a JPEG, PNG or WebP.

    Returns:
        An upright RGB picture that carries no metadata.

    Raises:
        PhotoRejected: UnsupportedFormat, TooManyPixels or Unreadable.
    """
    if not _is_accepted_format(content):
        raise PhotoRejected("UnsupportedFormat", "is no JPEG, PNG or WebP picture; convert it to one of them")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise PhotoRejected(
                    "TooManyPixels",
                    f"has {width}×{height} pixels, more than {MAX_PIXELS // 1_000_000} megapixels; shrink it",
                )
            image.load()
            upright = ImageOps.exif_transpose(image)
            picture = _to_srgb(upright)
            pixels = picture.tobytes()
    except PhotoRejected:
        raise
    except Image.DecompressionBombError as error:
        raise PhotoRejected("TooManyPixels", "has far too many pixels; shrink it") from error
    except Exception as error:
        # Decoders raise whatever comes to them on damaged input: OSError, SyntaxError, struct.error, ValueError ...
        raise PhotoRejected("Unreadable", "is damaged and cannot be decoded; upload it again") from error
    return Image.frombytes(picture.mode, picture.size, pixels)


def _is_accepted_format(content: bytes) -> bool:
    return content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (
        content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    )


def _to_srgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        background = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(background, rgba).convert("RGB")
    profile = image.info.get("icc_profile")
    if profile and image.mode == "RGB":
        try:
            converted = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            )
        except ImageCms.PyCMSError:
            return image
        return converted or image
    return image.convert("RGB")
