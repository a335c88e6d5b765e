"""Walk over a request's photos: read, decode, inspect, crop; a verdict on each.

A bad photo never fails the training by itself. Too few good ones do, with all verdicts, so that the user can mend them
in one go instead of one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from avatar_api.documents.photos import PhotoVerdict
from avatar_api.documents.training import PhotoLocation, PhotoPolicy
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import ObjectChanged, ObjectNotFound, ObjectStorage, ObjectTooLarge, StorageDenied
from avatar_workers.training.preparation.cropping import choose_square, cut, find_face
from avatar_workers.training.preparation.decoding import PhotoRejected
from avatar_workers.training.preparation.inspection import MIN_SHARPNESS, Fingerprint, sharpness
from avatar_workers.training.preparation.photo_decoder import PhotoDecoder


@dataclass(frozen=True)
class PreparedPhotos:
    """Training pictures (RGB squares of the training's resolution), and the verdict on every photo of the request."""

    pictures: list[Image.Image]
    verdicts: list[PhotoVerdict]


class _PhotoDenied(PhotoRejected):
    """A photo that may not be read, or is gone: to whoever may not list a bucket, and an attempt's credentials list none, S3
    says the same of both. Where others can be read it is a matter of this photo, and where none can, of the storage.
    """

    def __init__(self, denial: StorageDenied) -> None:
        super().__init__("NotFound", "was deleted, or may not be read")
        self.denial = denial


def prepare_photos(
    photos: Sequence[PhotoLocation],
    policy: PhotoPolicy,
    storage: ObjectStorage,
    *,
    resolution: int,
    on_photo: Callable[[int], None],
    check: Callable[[], None],
) -> PreparedPhotos:
    """Prepare all photos.

    Args:
        photos: where they are.
        policy: how many must be usable, how large one may be.
        storage: where they are read from.
        resolution: side of the training pictures, in pixels.
        on_photo: told after each photo how many are done.
        check: called while a photo is decoded; what it raises ends the preparation.

    Raises:
        WorkerFailure: TooFewUsablePhotos with all verdicts; the storage's own failures.
    """
    pictures: list[Image.Image] = []
    verdicts: list[PhotoVerdict] = []
    accepted: list[tuple[str, Fingerprint]] = []
    denied: list[StorageDenied] = []
    with PhotoDecoder(check) as decoder:
        for done, photo in enumerate(photos, start=1):
            try:
                image = decoder.decode(_read(photo, policy, storage))
                _inspect(image, resolution)
                fingerprint = Fingerprint.of(image)
                for uri, other in accepted:
                    if fingerprint.shows_the_same_as(other):
                        raise PhotoRejected(
                            "Duplicate", f"is nearly the same as {uri}; add a different photo"
                        )
            except PhotoRejected as rejected:
                if isinstance(rejected, _PhotoDenied):
                    denied.append(rejected.denial)
                verdicts.append(
                    PhotoVerdict(uri=photo.uri, rejection=rejected.rejection, message=str(rejected))
                )
            else:
                square = choose_square(image.width, image.height, find_face(image), min_side=resolution)
                pictures.append(cut(image, square, resolution))
                accepted.append((photo.uri, fingerprint))
                verdicts.append(PhotoVerdict(uri=photo.uri))
            on_photo(done)
    if len(denied) == len(photos):
        raise denied[0]
    if len(pictures) < policy.min_count:
        raise WorkerFailure("TooFewUsablePhotos", _too_few(verdicts, policy.min_count), photos=verdicts)
    return PreparedPhotos(pictures, verdicts)


def _read(photo: PhotoLocation, policy: PhotoPolicy, storage: ObjectStorage) -> bytes:
    try:
        return storage.read(
            photo.uri, max_bytes=policy.max_bytes, version_id=photo.version_id, etag=photo.etag
        )
    except ObjectNotFound as error:
        raise PhotoRejected("NotFound", "is not there; was it deleted?") from error
    except StorageDenied as error:
        raise _PhotoDenied(error) from error
    except ObjectChanged as error:
        raise PhotoRejected("NotFound", "has been overwritten since the training was asked for") from error
    except ObjectTooLarge as error:
        raise PhotoRejected(
            "TooManyBytes", f"is larger than the {policy.max_bytes} bytes allowed; shrink it"
        ) from error


def _inspect(image: Image.Image, resolution: int) -> None:
    if min(image.size) < resolution:
        raise PhotoRejected(
            "TooSmall",
            f"has {image.width}×{image.height} pixels; each side needs {resolution} at least",
        )
    if sharpness(image, resolution=resolution) < MIN_SHARPNESS:
        raise PhotoRejected("Blurred", "is blurred; use a sharp photo")


def _too_few(verdicts: Sequence[PhotoVerdict], min_count: int) -> str:
    usable = sum(verdict.rejection is None for verdict in verdicts)
    reasons = "; ".join(
        f"{verdict.uri.rsplit('/', 1)[-1]} {verdict.message}" for verdict in verdicts if verdict.rejection
    )
    summary = f"{usable} of {len(verdicts)} photos are usable, at least {min_count} are needed"
    return f"{summary}: {reasons}" if reasons else summary
