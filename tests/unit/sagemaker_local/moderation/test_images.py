"""What is read of an image file."""

from __future__ import annotations

import contextlib
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from sagemaker_local.moderation.images import NotAnImage, read_image_file


def png(**texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        (info.add_itxt if not text.isascii() else info.add_text)(name, text)
    packed = io.BytesIO()
    Image.new("RGB", (8, 8)).save(packed, "PNG", pnginfo=info)
    return packed.getvalue()


def jpeg(comment: str = "") -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (8, 8)).save(packed, "JPEG", comment=comment.encode())
    return packed.getvalue()


def test_the_texts_of_a_png_are_its_markers() -> None:
    image = read_image_file(png(moderation="nude", note="schön"))
    assert image.format == "png"
    assert set(image.markers) == {"nude", "schön"}


def test_compressed_texts_of_a_png_are_read_too() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("a", "compressed", zip=True)
    info.add_itxt("b", "international", zip=True)
    packed = io.BytesIO()
    Image.new("RGB", (8, 8)).save(packed, "PNG", pnginfo=info)
    assert set(read_image_file(packed.getvalue()).markers) == {"compressed", "international"}


def test_the_comment_of_a_jpeg_is_its_marker() -> None:
    image = read_image_file(jpeg("violence"))
    assert (image.format, image.markers) == ("jpeg", ("violence",))


def test_an_image_is_known_by_the_hash_of_its_bytes() -> None:
    assert read_image_file(png()).sha256 == hashlib.sha256(png()).hexdigest()


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"%PDF-1.7", png()[:30], jpeg()[:10], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
)
def test_anything_else_and_what_breaks_off_is_no_image(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        read_image_file(data)


@given(st.sampled_from([png(moderation="x"), jpeg("x")]), st.data())
def test_a_damaged_file_is_read_or_refused_but_never_breaks_the_reader(
    whole: bytes, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + data.draw(st.binary(max_size=20)) + whole[at + 5 :]
    with contextlib.suppress(NotAnImage):
        read_image_file(damaged)
