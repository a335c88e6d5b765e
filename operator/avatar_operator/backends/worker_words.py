"""What of a worker's own words a tenant reads. Pure.

A worker runs what tenants send it, and its texts may quote a service that it called. So only codes that are about what the
tenant asked for keep the worker's words, bounded and without the places that objects lie in; every other code has a sentence
of ours. Of the words that are kept, those that seem to be AWS's are not told at all: beside an ARN or a role stand names that
look like any word. From all others secrets, hosts and paths are taken out (`core/redaction.py`). All of it goes to the log. A
bare name that stands among plain words cannot be told from one of them: whoever runs a worker of its own will can say what it
knows, and only to those whose work it does.
"""

import re

from avatar_api.documents.errors import WorkerError, WorkerErrorCode
from avatar_operator.core.confidential import FOR_THE_PLATFORM_TEAM
from avatar_operator.core.redaction import as_it_appears, redacted

MAX_WORDS = 600
MAX_READ = 4096
_ABOUT_WHAT_WAS_ASKED: frozenset[WorkerErrorCode] = frozenset(
    {
        "InvalidRequest",
        "InvalidConfiguration",
        "TooFewUsablePhotos",
        "PhotosUnreadable",
        "PictureTooLarge",
        "InsufficientMemory",
        "TrainingDiverged",
    }
)
"""Codes whose words help whoever asked."""
_SENTENCES: dict[WorkerErrorCode, str] = {
    "InvalidRequest": "The worker does not take what it was asked for.",
    "InvalidConfiguration": "The worker cannot do this with the settings that it was given.",
    "TooFewUsablePhotos": "Too few of the photos can be used; status.photos.rejected says why.",
    "PhotosUnreadable": "The photos cannot be read. Upload them again.",
    "BaseModelMismatch": "The worker holds another base model than the AvatarRuntime names.",
    "AttemptFenced": "The operator had given this attempt up.",
    "ArtifactInvalid": "The artifact cannot be used. Raise the model's spec.revision to train again.",
    "ArtifactChanged": "The endpoint holds other weights than those that were verified. Raise the model's spec.revision.",
    "ModelNotFound": "The endpoint and its worker do not agree on which models there are.",
    "ModelNameMismatch": "The endpoint and its worker do not agree on the name of a model.",
    "ModelAlreadyLoaded": "The endpoint and its worker do not agree on which models are loaded.",
    "PictureTooLarge": "The pictures are too large for this machine. Ask for smaller ones.",
    "InsufficientMemory": "The accelerator's memory does not suffice for this.",
    "StorageDenied": "The worker may not read or write what this needs.",
    "StorageUnavailable": "The worker cannot reach the storage.",
    "TrainingDiverged": "The training came to nothing. Try a lower learning rate.",
    "WorkerUnavailable": "The worker is busy or starting.",
    "InternalError": "The worker failed in a way that it should not.",
}
_SPOKEN_BY_AWS = re.compile(
    r"\barn:|arn:aws|\brole\b|\broles?/|-role\b|\bbuckets?\b|\baws\b|amazon|boto|\bendpoint\b|validation error",
    re.IGNORECASE,
)
"""The words with which a service of AWS or its client speaks."""


def public_words(words: str) -> str:
    """What a tenant may read of words that somebody else wrote: without secrets and places; nothing if AWS seems to speak."""
    if len(words) > MAX_READ:
        # What a cut leaves of a secret may look like none.
        words = words[:MAX_READ].rpartition(" ")[0]
    told = redacted(words)
    return "" if _SPOKEN_BY_AWS.search(as_it_appears(told)) else told[:MAX_WORDS]


def worker_sentence(error: WorkerError) -> str:
    """What a tenant reads of a worker's refusal."""
    own = public_words(error.message) if error.code in _ABOUT_WHAT_WAS_ASKED else ""
    if own:
        return own
    ours = _SENTENCES[error.code]
    return ours if error.code in _ABOUT_WHAT_WAS_ASKED else f"{ours} {FOR_THE_PLATFORM_TEAM}"
