"""A drawn picture on its way out: PNG bytes that say what they are, into S3 or into the answer.

Every PNG says that a machine made it, in the two places where readers look: a text chunk for people, and IPTC's
DigitalSourceType in an XMP packet for software (https://cv.iptc.org/newscodes/digitalsourcetype/; EU AI Act, article
50). Prompts and names of people stay out: pictures travel further than anybody thinks.
"""

import base64
import hashlib
import io

from PIL import Image, PngImagePlugin

from avatar_api.documents.inference import PictureRequest, PictureResult
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import ObjectExists, ObjectStorage
from avatar_workers.version import WORKER_VERSION

MAX_INLINE_BYTES = 6_000_000
"""Base64 characters of all pictures of one answer; SageMaker's InvokeEndpoint ends at 6,291,456 bytes."""

MAX_PNG_BYTES = 64 << 20
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP_PACKET = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
   Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def encode_png(image: Image.Image) -> bytes:
    """The picture as PNG, marked as made by a trained algorithm."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", f"Avatar Operator {WORKER_VERSION}")
    text.add_text("DigitalSourceType", DIGITAL_SOURCE_TYPE)
    text.add_itxt("XML:com.adobe.xmp", XMP_PACKET)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=text)
    return buffer.getvalue()


def store_picture(
    storage: ObjectStorage, output_prefix: str, picture: PictureRequest, png: bytes
) -> PictureResult:
    """Write a picture below the request's prefix.

    A key that is taken holds what an earlier try of the same request drew. It stays, and the result tells its
    checksum: whoever has seen that object must never find another one in its place.

    Raises:
        WorkerFailure: StorageDenied, StorageUnavailable
    """
    uri = f"{output_prefix}{picture.file_name()}"
    try:
        storage.create(
            uri,
            png,
            content_type="image/png",
            metadata={
                "seed": str(picture.seed),
                "prompt-index": str(picture.prompt_index),
                "image-index": str(picture.image_index),
            },
        )
    except ObjectExists:
        png = storage.read(uri, max_bytes=MAX_PNG_BYTES)
    return _result(picture, png, uri=uri)


class InlinePictures:
    """Puts pictures into one answer, as long as there is room in it."""

    def __init__(self) -> None:
        self._bytes_taken = 0

    def add(self, picture: PictureRequest, png: bytes) -> PictureResult:
        """One picture's result, with its PNG in base64.

        Raises:
            WorkerFailure: PictureTooLarge, if the answer would not fit through InvokeEndpoint.
        """
        text = base64.b64encode(png).decode()
        self._bytes_taken += len(text)
        if self._bytes_taken > MAX_INLINE_BYTES:
            raise WorkerFailure(
                "PictureTooLarge",
                f"the pictures take more than the {MAX_INLINE_BYTES} bytes that fit into an answer;"
                " give an outputPrefix, or ask for fewer or smaller pictures",
            )
        return _result(picture, png, png_base64=text)


def _result(
    picture: PictureRequest, png: bytes, *, uri: str | None = None, png_base64: str | None = None
) -> PictureResult:
    return PictureResult(
        uri=uri,
        png_base64=png_base64,
        prompt_index=picture.prompt_index,
        image_index=picture.image_index,
        seed=picture.seed,
        sha256=hashlib.sha256(png).hexdigest(),
    )
