"""Comprehend's DetectToxicContent.

Every segment must be covered by a rule. AWS scores all seven labels for each segment, so those that the rule leaves out score 0:
a rule says what is toxic about a text, and has spoken about the rest.

Source: "Trust and safety" in the Comprehend guide: up to ten segments of 1 KB, English only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagemaker_local.errors import AwsError
from sagemaker_local.moderation.rules import RuleBoard, Subject
from sagemaker_local.shapes import service_model

MAX_SEGMENTS = 10
MAX_SEGMENT_BYTES = 1024
LANGUAGE = "en"


def detect_toxic_content(parameters: Mapping[str, Any], rules: RuleBoard) -> dict[str, Any]:
    """The verdict on each segment.

    Raises:
        AwsError: for input that Comprehend refuses, or when no rule covers a segment.
    """
    if parameters["LanguageCode"] != LANGUAGE:
        raise AwsError(
            "UnsupportedLanguageException",
            f"Unsupported Language : {parameters['LanguageCode']}. Currently supported languages: {LANGUAGE}",
        )
    segments = [segment["Text"] for segment in parameters["TextSegments"]]
    if len(segments) > MAX_SEGMENTS:
        raise AwsError(
            "InvalidRequestException",
            f"The number of text segments exceeds the limit: at most {MAX_SEGMENTS}, while this request has {len(segments)}",
        )
    for size in (len(segment.encode()) for segment in segments):
        if size > MAX_SEGMENT_BYTES:
            raise AwsError(
                "TextSizeLimitExceededException",
                f"Input text size exceeds limit. Max length of request text allowed is {MAX_SEGMENT_BYTES} bytes while in "
                f"this request the text size is {size} bytes",
            )
    return {"ResultList": [_verdict(segment, rules) for segment in segments]}


def _verdict(segment: str, rules: RuleBoard) -> dict[str, Any]:
    answer = rules.answer("DetectToxicContent", Subject(text=segment))
    said = {label["Name"]: label.get("Score", 1.0) for label in answer.get("Labels", [])}
    labels = [{"Name": name, "Score": said.get(name, 0.0)} for name in _label_names()]
    return {"Labels": labels, "Toxicity": answer.get("Toxicity", max(said.values(), default=0.0))}


def _label_names() -> list[str]:
    shape: Any = service_model("comprehend").shape_for("ToxicContentType")
    return list(shape.enum)
