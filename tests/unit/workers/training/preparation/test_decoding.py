"""Whatever the bytes, a photo is decoded or refused with a reason; and nothing of its metadata survives."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from avatar_workers.training.preparation.decoding import PhotoRejected, decode_photo

ORIENTATION, GPS = 0x0112, 0x8825


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    return Image.linear_gradient("L").resize((width, height)).convert("RGB")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_accepted_kinds_are_decoded(kind: str) -> None:
    image = decode_photo(encode(gradient(), kind))
    assert (image.mode, image.size) == ("RGB", (40, 30))


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO"])
def test_other_kinds_are_refused_although_pillow_knows_them(kind: str) -> None:
    with pytest.raises(PhotoRejected) as caught:
        decode_photo(encode(gradient(), kind))
    assert caught.value.rejection == "UnsupportedFormat"


def test_a_photo_stored_on_its_side_is_turned_up() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    stored = Image.new("RGB", (40, 20), "blue")
    stored.paste("red", (0, 0, 20, 20))
    image = decode_photo(encode(stored, "JPEG", exif=exif, quality=95))
    assert image.size == (20, 40)
    red, _, blue = image.getpixel((10, 5))  # type: ignore[misc]
    assert red > 200 > 50 > blue


def test_no_metadata_survives() -> None:
    exif = Image.Exif()
    exif[0x010E] = "at home"
    exif.get_ifd(GPS)[1] = "N"
    image = decode_photo(encode(gradient(), "JPEG", exif=exif, comment=b"secret"))
    assert image.info == {}
    assert len(image.getexif()) == 0


def test_transparency_becomes_white() -> None:
    image = decode_photo(encode(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG"))
    assert image.getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_every_colour_mode_becomes_rgb(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert decode_photo(encode(Image.new(mode, (8, 8)), kind)).mode == "RGB"


def png_that_claims(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
        + struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    )  # fmt: skip


@given(st.integers(8_100, 2**31 - 1), st.integers(8_100, 2**31 - 1))
def test_huge_dimensions_are_refused_from_the_header(width: int, height: int) -> None:
    with pytest.raises(PhotoRejected) as caught:
        decode_photo(png_that_claims(width, height))
    assert caught.value.rejection == "TooManyPixels"


@settings(max_examples=60)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"]),
)
def test_garbage_is_refused_whatever_it_begins_with(garbage: bytes, prefix: bytes) -> None:
    with pytest.raises(PhotoRejected) as caught:
        decode_photo(prefix + garbage)
    assert caught.value.rejection in ("UnsupportedFormat", "Unreadable", "TooManyPixels")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.floats(0, 0.9))
def test_a_truncated_photo_is_refused(kind: str, share: float) -> None:
    whole = encode(gradient(200, 150), kind)
    with pytest.raises(PhotoRejected) as caught:
        decode_photo(whole[: int(len(whole) * share)])
    assert caught.value.rejection in ("UnsupportedFormat", "Unreadable")


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["JPEG", "PNG", "WEBP"]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=20),
)
def test_flipped_bytes_end_in_a_picture_or_a_reason(kind: str, flips: list[tuple[int, int]]) -> None:
    content = bytearray(encode(gradient(), kind))
    for position, value in flips:
        content[position % len(content)] = value
    try:
        assert decode_photo(bytes(content)).mode == "RGB"
    except PhotoRejected as rejected:
        assert str(rejected)
