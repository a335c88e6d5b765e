"""Deletion: everything below an object's own prefixes, with all versions and what was only begun to be uploaded, and an
honest word about the rest.

What may not be removed (a permission, an object lock) is reported, not raised: trying again would not help, and a
finalizer must end. Trouble that passes is raised.
"""

from collections.abc import Sequence

import structlog

from avatar_operator.aws.errors import AwsFailure
from avatar_operator.aws.s3_deletion import NotRemoved
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.backends.cleanup_report import CleanupReport

MAX_REPORTED = 20
HOPELESS = frozenset({"AccessDenied", "AwsRejected"})
log = structlog.get_logger(__name__)


async def delete_below(
    objects: S3Objects, prefixes: Sequence[S3Location], *, retained: Sequence[S3Location] = ()
) -> CleanupReport:
    """Remove everything below some prefixes, unfinished uploads too.

    Args:
        objects: where they lie.
        prefixes: below which nothing stays.
        retained: below which objects stay; what was only begun to be uploaded is nothing that could be kept.

    Raises:
        AwsFailure: S3 could not be asked, or was too busy: try again.
    """
    left: list[NotRemoved] = []
    # Uploads first: one that is completed meanwhile is then found as the object that it became.
    everything = (objects.uploads.abort_below, objects.delete_below)
    going = [(prefix, everything) for prefix in prefixes]
    for prefix, removals in (*going, *((prefix, everything[:1]) for prefix in retained)):
        for remove in removals:
            try:
                left.extend(await remove(prefix))
            except AwsFailure as error:
                if error.reason == "BucketNotFound":
                    break
                if error.reason not in HOPELESS:
                    raise
                left.append(NotRemoved(f"{prefix.uri} ({error.reason})", error.said))
    words = list(dict.fromkeys(stays.words for stays in left))
    for said in dict.fromkeys(stays.said for stays in left[:MAX_REPORTED] if stays.said):
        log.warning("not everything could be removed", said=said.reveal())
    if len(words) > MAX_REPORTED:
        words = [*words[:MAX_REPORTED], f"and {len(words) - MAX_REPORTED} more"]
    return CleanupReport(tuple(words))


async def is_anything_below(objects: S3Objects, prefix: S3Location) -> bool:
    """Whether `delete_below` would find anything to remove: old versions count, and what was only begun to be uploaded.

    Raises:
        AwsFailure: S3 could not be asked.
    """
    try:
        return bool(await objects.uploads.list_below(prefix)) or await objects.is_any_version_below(prefix)
    except AwsFailure as error:
        if error.reason != "BucketNotFound":
            raise
        return False
