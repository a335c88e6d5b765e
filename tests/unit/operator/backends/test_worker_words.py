"""What our own workers say to whoever asked comes out word by word; what slips into it does not, and nothing that AWS says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from avatar_api.documents.errors import WorkerError, WorkerErrorCode
from avatar_operator.backends.worker_words import MAX_READ, MAX_WORDS, public_words, worker_sentence
from avatar_operator.core.redaction import WITHHELD

WORKERS = Path(__file__).parents[4] / "workers" / "avatar_workers"
PLACE = "s3://photos-of-all/team-a/"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
CODES: dict[str, WorkerErrorCode] = {
    "ObjectNotFound": "InvalidRequest",
    "ObjectChanged": "InvalidRequest",
    "ObjectTooLarge": "InvalidRequest",
    "BaseModelRefused": "InvalidConfiguration",
    "PhotoRejected": "TooFewUsablePhotos",
}
"""Those that do not say which code they come to."""
ABOUT_WHAT_WAS_ASKED: set[WorkerErrorCode] = {
    *("InvalidRequest", "InvalidConfiguration", "TooFewUsablePhotos", "PictureTooLarge"),
    *("InsufficientMemory", "TrainingDiverged"),
}
FILLED = {
    "uri": f"{PLACE}IMG_20240101_120000.jpg",
    "uri!r": "'s3:/photos'",
    "error": "TrainingRequest: photos.0.uri: String should have at least 1 character; model.uid: Field required",
    "refusal": "unet/weights.bin: hidden files do not belong to a base model; remove it",
    "settings.source": "stabilityai/stable-diffusion-2-1-base",
    "source": f"{PLACE}base",
    "prefix": f"{PLACE}base",
    "directory": "base",
    "relative_path": "unet/diffusion_pytorch_model.bin",
    "variable": "AVATAR_BASE_MODEL_URI",
    "digest": DIGEST,
    "architecture.__name__": "StableDiffusionXLPipeline",
    "text[:40]!r": "'many'",
    "port!r": "'http'",
    "address!r": "'everywhere'",
}
"""What may stand in a message; numbers in all other places."""


def messages() -> Iterator[tuple[WorkerErrorCode, str]]:
    """Every message that is written down in the workers, with the code that it comes with."""
    for path in sorted(WORKERS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            kind, arguments = node.func.id, node.args
            named = arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else None
            said = next((each for each in get_args(WorkerErrorCode) if each == named), None)
            code = CODES.get(kind, said if kind == "WorkerFailure" else None)
            text = filled(arguments[-1]) if arguments else None
            if code is not None and text:
                yield code, f"{PLACE}IMG_1.jpg: {text}" if kind.startswith("Object") else text


def filled(message: ast.expr) -> str | None:
    """A message with something in each of its places; None if it is not written down there."""
    if isinstance(message, ast.Constant):
        return str(message.value)
    if not isinstance(message, ast.JoinedStr):
        return None
    return "".join(_part(part) for part in message.values)


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    written = ast.unparse(part.value) if isinstance(part, ast.FormattedValue) else ""
    is_quoted = isinstance(part, ast.FormattedValue) and part.conversion == ord("r")
    return FILLED.get(f"{written}!r" if is_quoted else written, "1234567")


MESSAGES = sorted(set(messages()))


def test_every_code_that_keeps_its_words_has_some() -> None:
    told = {code for code, message in MESSAGES if worker_sentence(_error(code, message)) != message}
    assert {code for code, _ in MESSAGES} - told <= ABOUT_WHAT_WAS_ASKED
    assert {code for code, _ in MESSAGES} >= ABOUT_WHAT_WAS_ASKED


@pytest.mark.parametrize(("code", "message"), [each for each in MESSAGES if each[0] in ABOUT_WHAT_WAS_ASKED])
def test_what_our_workers_say_comes_out_as_they_say_it(code: WorkerErrorCode, message: str) -> None:
    assert worker_sentence(_error(code, message)) == message.replace(PLACE, "")


def test_a_list_of_photos_comes_out_whole() -> None:
    verdicts = [
        message for code, message in MESSAGES if code == "TooFewUsablePhotos" and "are needed" not in message
    ]
    words = f"0 of {len(verdicts)} photos are usable: " + "; ".join(
        f"IMG_{n}.jpg {text}" for n, text in enumerate(verdicts)
    )
    assert public_words(words) == words.replace(PLACE, "")[:MAX_WORDS]
    assert len(verdicts) > 8


@pytest.mark.parametrize(
    "words",
    [
        "User: arn:aws:sts::123456789012:assumed-role/Operator/op is not authorized",
        "the Platform-role may not",
        "the bucket of others is not there",
        "Ａｍａｚｏｎ SageMaker cannot",
    ],
)
def test_where_aws_seems_to_speak_nothing_is_told(words: str) -> None:
    assert public_words(words) == ""
    assert (
        worker_sentence(_error("InvalidRequest", words)) == "The worker does not take what it was asked for."
    )


@pytest.mark.parametrize("length", [MAX_WORDS, MAX_READ])
def test_a_secret_that_stands_where_the_words_are_cut_is_not_told_in_part(length: int) -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    for offset in range(1, len(secret)):
        filler = ("s3://photos/" + "x" * 80 + "/1.jpg ") * 100
        told = public_words(filler[: length - offset - 1] + " " + secret)
        assert secret[:4] not in told


def test_the_rest_of_a_sentence_stays_when_something_is_taken_out() -> None:
    words = (
        "photos.3: https://photos.corp.example/1?X-Amz-Signature=ab from ip-10-0-0-1.ec2.internal has no face"
    )
    assert public_words(words) == f"photos.3: {WITHHELD} from {WITHHELD} has no face"


def _error(code: WorkerErrorCode, message: str) -> WorkerError:
    return WorkerError(code=code, message=message, retryable=False)
