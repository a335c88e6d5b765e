"""Bedrock's ApplyGuardrail.

Every block of the content must be covered by a rule. The guardrail intervenes when the rule of any block says so; outputs and
assessments of all blocks' rules are put together. Usage and coverage are counted. Guardrails need not be created: a rule may
name one.

Sources: ApplyGuardrail in the Bedrock Runtime API reference; "Use the ApplyGuardrail API" in the Bedrock guide (images up to 4
MB, PNG or JPEG; a text unit is 1,000 characters).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sagemaker_local.errors import AwsError
from sagemaker_local.moderation.images import NotAnImage, decoded, read_image_file
from sagemaker_local.moderation.rules import RuleBoard, Subject

MAX_IMAGE_BYTES = 4 * 1024 * 1024
TEXT_UNIT_CHARACTERS = 1_000
INTERVENED = "GUARDRAIL_INTERVENED"


def apply_guardrail(parameters: Mapping[str, Any], rules: RuleBoard) -> dict[str, Any]:
    """The guardrail's verdict on all blocks together.

    Raises:
        AwsError: ValidationException for input that Bedrock refuses, or when no rule covers a block.
    """
    if not parameters["content"]:
        raise AwsError("ValidationException", "The content must have at least one block.")
    subjects = [_subject(block, parameters) for block in parameters["content"]]
    answers = [rules.answer("ApplyGuardrail", subject) for subject in subjects]
    intervened = any(answer.get("action") == INTERVENED for answer in answers)
    texts = [subject.text for subject in subjects if subject.text is not None]
    images = len(subjects) - len(texts)
    return {
        "usage": _usage(texts, images),
        "action": INTERVENED if intervened else "NONE",
        "outputs": [output for answer in answers for output in answer.get("outputs", [])]
        if intervened
        else [],
        "assessments": [each for answer in answers for each in answer.get("assessments", [])],
        "guardrailCoverage": _coverage(texts, images),
    }


def _subject(block: Mapping[str, Any], parameters: Mapping[str, Any]) -> Subject:
    about = {"guardrail": parameters["guardrailIdentifier"], "source": parameters["source"]}
    if ("text" in block) == ("image" in block):
        raise AwsError("ValidationException", "Each content block must have either text or image.")
    if "text" in block:
        return Subject(text=block["text"]["text"], **about)
    data = decoded(block["image"]["source"].get("bytes", ""))
    if not 1 <= len(data) <= MAX_IMAGE_BYTES:
        raise AwsError("ValidationException", f"An image must have 1 to {MAX_IMAGE_BYTES} bytes.")
    try:
        image = read_image_file(data)
    except NotAnImage:
        raise AwsError("ValidationException", "The image is neither PNG nor JPEG.") from None
    if image.format != block["image"]["format"]:
        raise AwsError(
            "ValidationException", f"The image is {image.format}, not {block['image']['format']} as declared."
        )
    return image.subject(**about)


def _usage(texts: Sequence[str], images: int) -> dict[str, int]:
    units = sum(-(-len(text) // TEXT_UNIT_CHARACTERS) for text in texts)
    return {
        "topicPolicyUnits": units,
        "contentPolicyUnits": units,
        "wordPolicyUnits": units,
        "sensitiveInformationPolicyUnits": units,
        "sensitiveInformationPolicyFreeUnits": units,
        "contextualGroundingPolicyUnits": 0,
        "contentPolicyImageUnits": images,
    }


def _coverage(texts: Sequence[str], images: int) -> dict[str, dict[str, int]]:
    characters = sum(len(text) for text in texts)
    coverage = {"textCharacters": {"guarded": characters, "total": characters}} if texts else {}
    return coverage | ({"images": {"guarded": images, "total": images}} if images else {})
