"""Images that moderation is asked about: fetched, checked as AWS checks them, and searched for markers.

Only what a rule can be about is read: the format (by content, as Rekognition does), the file's hash, and the texts in its
metadata. Pixels are never decoded, so a file that is damaged behind its header passes here and would not on AWS.

Sources: "Image" in the Rekognition API reference (JPEG and PNG, 5 MB as bytes, 15 MB from S3); PNG specification 11.3.3 (text
chunks); JPEG, ITU T.81 annex B (COM segments).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.aws_clients import AwsClients, Scope
from sagemaker_local.errors import AwsError
from sagemaker_local.moderation.rules import Subject

MAX_INLINE_BYTES = 5 * 1024 * 1024
MAX_S3_BYTES = 15 * 1024 * 1024
MAX_MARKERS = 100
MAX_MARKER_BYTES = 64 << 10
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"


class NotAnImage(Exception):
    """Neither a JPEG nor a PNG file, or one that breaks off in its header."""


@dataclass(frozen=True)
class ImageFile:
    """What rules may know about an image file."""

    format: Literal["jpeg", "png"]
    sha256: str
    markers: tuple[str, ...]

    def subject(self, key: str | None = None, **more: str) -> Subject:
        return Subject(sha256=self.sha256, key=key, markers=self.markers, **more)


def read_image_file(data: bytes) -> ImageFile:
    """Look into an image file.

    Raises:
        NotAnImage: when it is neither JPEG nor PNG.
    """
    digest = hashlib.sha256(data).hexdigest()
    try:
        if data.startswith(_PNG):
            return ImageFile("png", digest, tuple(_png_texts(data))[:MAX_MARKERS])
        if data.startswith(_JPEG):
            return ImageFile("jpeg", digest, tuple(_jpeg_comments(data))[:MAX_MARKERS])
    except (IndexError, ValueError, zlib.error) as error:
        raise NotAnImage(str(error)) from error
    raise NotAnImage("neither a JPEG nor a PNG signature")


def rekognition_subject(image: Mapping[str, Any], clients: AwsClients, scope: Scope) -> Subject:
    """The image of a Rekognition request.

    Raises:
        AwsError: as Rekognition refuses images.
    """
    if ("Bytes" in image) == ("S3Object" in image):
        raise AwsError("InvalidParameterException", "Request has invalid parameters")
    key = None
    if "Bytes" in image:
        data = decoded(image["Bytes"])
        if not 1 <= len(data) <= MAX_INLINE_BYTES:
            bound = f"less than or equal to {MAX_INLINE_BYTES}" if data else "greater than or equal to 1"
            raise AwsError(
                "ValidationException",
                f"1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim={len(data)} cap={len(data)}]' at "
                f"'image.bytes' failed to satisfy constraint: Member must have length {bound}",
            )
    else:
        key = image["S3Object"].get("Name")
        data = _from_s3(image["S3Object"], clients, scope)
    try:
        return read_image_file(data).subject(key)
    except NotAnImage:
        raise AwsError("InvalidImageFormatException", "Request has unsupported image format") from None


def decoded(text: Any) -> bytes:
    """A blob of a JSON request. Raises SerializationException when it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise AwsError("SerializationException", f"a blob is not base64: {error}") from error


def _from_s3(described: Mapping[str, Any], clients: AwsClients, scope: Scope) -> bytes:
    if not described.get("Bucket") or not described.get("Name"):
        raise AwsError("InvalidParameterException", "Request has invalid parameters")
    version = {"VersionId": described["Version"]} if described.get("Version") else {}
    try:
        found = clients.client("s3", scope).get_object(
            Bucket=described["Bucket"], Key=described["Name"], **version
        )
    except (BotoCoreError, ClientError) as error:
        raise AwsError(
            "InvalidS3ObjectException",
            "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
        ) from error
    with contextlib.closing(found["Body"]) as body:
        if found["ContentLength"] > MAX_S3_BYTES:
            raise AwsError(
                "ImageTooLargeException", f"Image size is too large: the limit is {MAX_S3_BYTES} bytes"
            )
        return bytes(body.read())


def _png_texts(data: bytes) -> Iterator[str]:
    """The texts of a PNG file's tEXt, zTXt and iTXt chunks before its end."""
    at = len(_PNG)
    if data[at + 4 : at + 8] != b"IHDR":
        raise NotAnImage("a PNG file without a header")
    while at < len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        content = data[at + 8 : at + 8 + length]
        if len(content) < length or len(kind) < 4:
            raise NotAnImage("a PNG file that breaks off")
        if kind == b"tEXt":
            yield content.partition(b"\0")[2][:MAX_MARKER_BYTES].decode("latin-1")
        elif kind == b"zTXt":
            yield _inflated(content.partition(b"\0")[2][1:]).decode("latin-1")
        elif kind == b"iTXt":
            described = content.partition(b"\0")[2]
            language_and_text = described[2:].split(b"\0", 2)
            text = language_and_text[2] if len(language_and_text) == 3 else b""
            is_compressed = described[:1] == b"\1"
            yield (_inflated(text) if is_compressed else text[:MAX_MARKER_BYTES]).decode("utf-8", "replace")
        elif kind == b"IEND":
            return
        at += 12 + length
    raise NotAnImage("a PNG file without an end")


def _inflated(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, MAX_MARKER_BYTES)


def _jpeg_comments(data: bytes) -> Iterator[str]:
    """The comments of a JPEG file before its pixels."""
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xDA:
            return
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            break
        if marker == 0xFE:
            yield data[at + 4 : at + 2 + length].decode("utf-8", "replace")
        at += 2 + length
    raise NotAnImage("a JPEG file that breaks off before its pixels")
