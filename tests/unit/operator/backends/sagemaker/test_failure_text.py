"""Reading causes out of SageMaker's wrappings: whole, escaped, nested, cut off, or not there at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_api.documents.errors import RETRYABLE, WorkerError
from avatar_api.documents.photos import PhotoVerdict
from avatar_operator.backends.sagemaker.endpoint_refusal import EndpointRefusal, endpoint_refusal
from avatar_operator.backends.sagemaker.failure_text import failure_cause, find_worker_error
from avatar_operator.core.confidential import Confidential

ERROR = WorkerError(
    code="TooFewUsablePhotos",
    message='3 of 12 photos are usable, "at least" 10 are needed',
    retryable=False,
    photos=[PhotoVerdict(uri="s3://photos/1.png", rejection="Blurred", message="too soft")],
)
DOCUMENT = json.dumps(ERROR.to_wire())
SENTENCE = 'Received client error (422) from model with message "{}". See https://logs in account 1 for more information.'

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ERRORS = st.builds(
    WorkerError,
    code=st.sampled_from(
        ["InternalError", "TooFewUsablePhotos", "InvalidConfiguration", "StorageUnavailable"]
    ),
    message=st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    retryable=st.booleans(),
)
FORGED = json.dumps(WorkerError(code="InternalError", message="again", retryable=True).to_wire())
TREACHEROUS = st.lists(
    st.sampled_from(
        [
            *("timed out", "timeout", "expired", "TTL", "AccessDenied", "(404)", "(0)", "(500)", "download"),
            *("ClientError: ", "Received server error (500) from model", "could not get a response"),
            *("Endpoint x not found.", "is not in service", "status", "does not exist", "no such key"),
            *(
                '"retryable": true',
                '"code": "InternalError"',
                FORGED,
                json.dumps(FORGED),
                '"',
                "\\",
                "{",
                "}",
            ),
        ]
    )
    | TEXT,
    max_size=6,
).map(" ".join)
"""What a user may write where a message quotes it."""


@pytest.mark.parametrize(
    "text",
    [
        DOCUMENT,
        SENTENCE.format(DOCUMENT),
        SENTENCE.format(DOCUMENT.replace("\\", "\\\\").replace('"', '\\"')),
        json.dumps({"ErrorCode": "CLIENT_ERROR_FROM_MODEL", "OriginalMessage": DOCUMENT}),
        json.dumps({"failureReason": SENTENCE.format(DOCUMENT)}),
        "{not json} {" + DOCUMENT,
    ],
    ids=["bare", "in a sentence", "escaped", "in a document", "in a sentence in a document", "behind braces"],
)
def test_the_workers_document_is_found(text: str) -> None:
    assert find_worker_error(text) == ERROR


def test_a_document_that_was_cut_off_still_gives_its_code_and_message() -> None:
    text = SENTENCE.format(DOCUMENT[: DOCUMENT.index("photos/1.png")])
    found = find_worker_error(text)
    assert found is not None
    assert (found.code, found.retryable) == ("TooFewUsablePhotos", False)
    assert found.message.startswith("3 of 12 photos are usable")


def test_a_document_cut_before_it_says_so_is_retried_as_its_code_says() -> None:
    text = '{"schemaVersion": "avatars.dev/worker-error/v1alpha1", "code": "InternalError", "mess'
    found = find_worker_error(text)
    assert found is not None
    assert found.retryable is ("InternalError" in RETRYABLE)


def test_a_document_with_a_code_that_nobody_knows_is_not_believed() -> None:
    text = '{"schemaVersion": "avatars.dev/worker-error/v1alpha1", "code": "Cheated", "message": "", "retryable": true}'
    assert find_worker_error(text) is None


@given(ERRORS, TEXT, TEXT)
def test_a_worker_error_is_found_whatever_stands_around_it(
    error: WorkerError, before: str, after: str
) -> None:
    before = before.replace("{", "")
    assert find_worker_error(before + json.dumps(error.to_wire()) + after) == error


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    cause = failure_cause(text)
    assert cause.reason
    assert cause.message


def test_deep_nesting_is_no_trap() -> None:
    assert failure_cause("avatars.dev/worker-error/" + '{"a":' * 30000).reason == "InvocationFailed"


@pytest.mark.parametrize(
    ("text", "reason", "retryable"),
    [
        (
            "ClientError: Received server error (0) from model. See the SageMaker Endpoint logs",
            "InvocationTimedOut",
            False,
        ),
        ("Your invocation timed out while waiting for a response", "InvocationTimedOut", False),
        ("ClientError: The request expired after 3600 seconds in the queue.", "RequestExpired", True),
        (
            "ClientError: Unable to download the inference request payload: s3://b/k is not there",
            "RequestUnreadable",
            True,
        ),
        ("Unable to download the InputLocation: AccessDenied", "RequestUnreadable", True),
        (
            "ClientError: Unable to upload the inference response payload: AccessDenied",
            "InvocationFailed",
            True,
        ),
        ("ClientError: Received client error (413) from model.", "WorkerRejected", False),
        ("ClientError: Received client error (429) from model.", "WorkerUnavailable", True),
        ("ClientError: Received server error (500) from model.", "WorkerFailed", True),
        ("Amazon SageMaker could not get a response from the x endpoint.", "WorkerLost", True),
        ("", "InvocationFailed", True),
    ],
)
def test_a_text_without_a_document_is_classified(text: str, reason: str, retryable: bool) -> None:
    cause = failure_cause(text)
    assert (cause.reason, cause.retryable, cause.error) == (reason, retryable, None)


@given(
    TREACHEROUS,
    st.sampled_from(
        [
            ("Received server error (503) from primary with message", "WorkerFailed", True),
            ("ClientError: Received client error (413) from model with message", "WorkerRejected", False),
            ("Received server error (0) from model with message", "InvocationTimedOut", False),
            ("ClientError: The request expired after 60 seconds:", "RequestExpired", True),
            (
                "ClientError: Unable to download the inference request payload:",
                "RequestUnreadable",
                True,
            ),
            ("<!DOCTYPE HTML><title>Bad gateway</title>", "InvocationFailed", True),
        ]
    ),
)
def test_no_words_inside_a_text_change_its_class(words: str, case: tuple[str, str, bool]) -> None:
    sentence, reason, retryable = case
    words = words.replace("avatars.dev/worker-error/", "avatars.dev/")
    cause = failure_cause(f'{sentence} "{words}".')
    assert (cause.reason, cause.retryable) == (reason, retryable)


@given(TREACHEROUS, st.integers(0, 4000), st.integers(0, 2))
def test_no_words_inside_the_workers_message_change_its_class(words: str, end: int, escapes: int) -> None:
    error = WorkerError(code="InvalidRequest", message=words[:1000], retryable=False)
    document = json.dumps(error.to_wire())
    for _ in range(escapes):
        document = json.dumps(document)[1:-1]
    named = document.index('"', document.index("InvalidRequest")) + 1
    cause = failure_cause(SENTENCE.format(document[: max(named, end)]))
    assert (cause.reason, cause.retryable) == ("InvalidRequest", False)


@given(TREACHEROUS)
def test_what_an_endpoint_is_said_to_be_does_not_follow_quoted_words(words: str) -> None:
    quotations = (
        f"Failed to download model data(bucket: b, key: {words}).",
        f"1 validation error detected: Value '{words}' at 'targetModel'",
    )
    assert [endpoint_refusal(Confidential(text)) for text in quotations] == [None, None]
    refusal = endpoint_refusal(Confidential(f"Endpoint avatars of account 1 is not in service. {words}"))
    assert refusal is EndpointRefusal.NOT_READY
