"""Rekognition, Comprehend and Bedrock Guardrails answer by rules that a test sets, refuse what AWS refuses, and assume
nothing.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image, PngImagePlugin

from sagemaker_local.testing import LocalAws

NUDITY = {"Name": "Explicit Nudity", "ParentName": "Explicit", "Confidence": 98.5, "TaxonomyLevel": 2}
BOX = {"Left": 0.1, "Top": 0.2, "Width": 0.5, "Height": 0.6}


@pytest.fixture(scope="module")
def clients(emulator: LocalAws) -> dict[str, Any]:
    """Retries are left as they are: what must not be retried is not, or these tests are slow."""
    config = Config(parameter_validation=False)
    return {
        name: emulator.client(name, config) for name in ("rekognition", "comprehend", "bedrock-runtime", "s3")
    }


@pytest.fixture(autouse=True)
def _no_rules_left(emulator: LocalAws) -> Iterator[None]:
    yield
    emulator.clear_moderation_rules()


def png(marker: str = "") -> bytes:
    info = PngImagePlugin.PngInfo()
    if marker:
        info.add_text("moderation", marker)
    packed = io.BytesIO()
    Image.new("RGB", (16, 16)).save(packed, "PNG", pnginfo=info)
    return packed.getvalue()


def refused(call: Any, **parameters: Any) -> Any:
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    response: Any = refusal.value.response
    assert response["ResponseMetadata"]["RetryAttempts"] == 0
    return response


def test_an_image_that_no_rule_covers_is_an_error_and_not_clean(clients: dict[str, Any]) -> None:
    for operation in ("detect_moderation_labels", "detect_faces"):
        response = refused(getattr(clients["rekognition"], operation), Image={"Bytes": png()})
        assert response["Error"]["Code"] == "NoModerationRule"
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_the_labels_of_a_rule_are_answered_above_the_wanted_confidence(
    emulator: LocalAws, clients: dict[str, Any]
) -> None:
    doubtful = {"Name": "Suggestive", "Confidence": 51.0}
    emulator.add_moderation_rule(
        "DetectModerationLabels", {"marker": "nude"}, {"ModerationLabels": [NUDITY, doubtful]}
    )
    detect = clients["rekognition"].detect_moderation_labels
    answer = detect(Image={"Bytes": png("nude")})
    assert answer["ModerationLabels"] == [NUDITY, {**doubtful, "ParentName": "", "TaxonomyLevel": 1}]
    assert answer["ModerationModelVersion"] == "7.0"
    assert detect(Image={"Bytes": png("nude")}, MinConfidence=90)["ModerationLabels"] == [NUDITY]


def test_a_picture_is_clean_only_when_a_rule_says_so(emulator: LocalAws, clients: dict[str, Any]) -> None:
    clean = hashlib.sha256(png("clean")).hexdigest()
    emulator.add_moderation_rule("DetectModerationLabels", {"sha256": clean}, {"ModerationLabels": []})
    detect = clients["rekognition"].detect_moderation_labels
    assert detect(Image={"Bytes": png("clean")})["ModerationLabels"] == []
    assert refused(detect, Image={"Bytes": png("other")})["Error"]["Code"] == "NoModerationRule"


def test_an_image_in_s3_is_known_by_its_key(emulator: LocalAws, clients: dict[str, Any]) -> None:
    clients["s3"].create_bucket(Bucket="moderated")
    clients["s3"].put_object(Bucket="moderated", Key="out/nude-1.png", Body=png())
    emulator.add_moderation_rule(
        "DetectModerationLabels", {"key": "*/nude-*"}, {"ModerationLabels": [NUDITY]}
    )
    in_s3 = {"S3Object": {"Bucket": "moderated", "Name": "out/nude-1.png"}}
    assert clients["rekognition"].detect_moderation_labels(Image=in_s3)["ModerationLabels"] == [NUDITY]


def test_images_that_rekognition_refuses_are_refused_in_its_words(clients: dict[str, Any]) -> None:
    clients["s3"].create_bucket(Bucket="too-large")
    clients["s3"].put_object(Bucket="too-large", Key="x.png", Body=png() + bytes(15 << 20))
    detect = clients["rekognition"].detect_faces
    images = {
        "InvalidImageFormatException": {"Bytes": b"GIF89a"},
        "ValidationException": {"Bytes": bytes((5 << 20) + 1)},
        "InvalidS3ObjectException": {"S3Object": {"Bucket": "too-large", "Name": "nothing.png"}},
        "ImageTooLargeException": {"S3Object": {"Bucket": "too-large", "Name": "x.png"}},
        "InvalidParameterException": {},
    }
    assert {code: refused(detect, Image=image)["Error"]["Code"] for code, image in images.items()} == {
        code: code for code in images
    }
    assert refused(detect)["Error"]["Message"] == (
        "1 validation error detected: Value null at 'image' failed to satisfy constraint: Member must not be null"
    )


def test_faces_have_the_attributes_that_are_asked_for(emulator: LocalAws, clients: dict[str, Any]) -> None:
    face = {
        "BoundingBox": BOX,
        "Confidence": 99.9,
        "AgeRange": {"Low": 20, "High": 28},
        "Smile": {"Value": True, "Confidence": 90.0},
    }
    emulator.add_moderation_rule("DetectFaces", {"anything": True}, {"FaceDetails": [face, face]})
    detect = clients["rekognition"].detect_faces
    answered = {
        attribute: set(detect(Image={"Bytes": png()}, Attributes=[attribute])["FaceDetails"][1])
        for attribute in ("DEFAULT", "ALL", "SMILE")
    }
    assert answered == {
        "DEFAULT": {"BoundingBox", "Confidence"},
        "ALL": set(face),
        "SMILE": {"BoundingBox", "Confidence", "Smile"},
    }


def test_each_text_segment_is_judged_by_its_own_rule(emulator: LocalAws, clients: dict[str, Any]) -> None:
    emulator.add_moderation_rule("DetectToxicContent", {"anything": True}, {"Labels": [], "Toxicity": 0.01})
    insult = {"Labels": [{"Name": "INSULT", "Score": 0.97}], "Toxicity": 0.9}
    emulator.add_moderation_rule("DetectToxicContent", {"words": ["idiot"]}, insult)
    results = clients["comprehend"].detect_toxic_content(
        TextSegments=[{"Text": "a photo of a person"}, {"Text": "an Idiot on the beach"}], LanguageCode="en"
    )["ResultList"]
    assert [result["Toxicity"] for result in results] == [0.01, 0.9]
    scores = {label["Name"]: label["Score"] for label in results[1]["Labels"]}
    assert (scores["INSULT"], scores["SEXUAL"], len(scores)) == (0.97, 0.0, 7)


def test_texts_that_comprehend_refuses_are_refused(clients: dict[str, Any]) -> None:
    detect = clients["comprehend"].detect_toxic_content
    cases: dict[str, dict[str, Any]] = {
        "NoModerationRule": {"TextSegments": [{"Text": "hello"}], "LanguageCode": "en"},
        "TextSizeLimitExceededException": {"TextSegments": [{"Text": "x" * 1025}], "LanguageCode": "en"},
        "InvalidRequestException": {"TextSegments": [{"Text": "x"}] * 11, "LanguageCode": "en"},
        "UnsupportedLanguageException": {"TextSegments": [{"Text": "x"}], "LanguageCode": "de"},
        "ValidationException": {"TextSegments": [], "LanguageCode": "en"},
    }
    assert {code: refused(detect, **case)["Error"]["Code"] for code, case in cases.items()} == {
        code: code for code in cases
    }


def test_a_guardrail_intervenes_when_a_rule_says_so(emulator: LocalAws, clients: dict[str, Any]) -> None:
    emulator.add_moderation_rule("ApplyGuardrail", {"anything": True}, {"action": "NONE"})
    blocked = {"action": "GUARDRAIL_INTERVENED", "outputs": [{"text": "Sorry."}]}
    emulator.add_moderation_rule("ApplyGuardrail", {"words": ["weapon"], "source": "INPUT"}, blocked)

    def apply(text: str, source: str = "INPUT") -> dict[str, Any]:
        answer: dict[str, Any] = clients["bedrock-runtime"].apply_guardrail(
            guardrailIdentifier="abc123",
            guardrailVersion="1",
            source=source,
            content=[{"text": {"text": "a person"}}, {"text": {"text": text}}],
        )
        return answer

    assert (apply("on a beach")["action"], apply("on a beach")["outputs"]) == ("NONE", [])
    assert (apply("with a weapon")["action"], apply("with a weapon")["outputs"]) == (
        "GUARDRAIL_INTERVENED",
        [{"text": "Sorry."}],
    )
    assert apply("with a weapon", "OUTPUT")["action"] == "NONE"
    assert apply("on a beach")["guardrailCoverage"]["textCharacters"] == {"guarded": 18, "total": 18}


def test_a_guardrail_judges_images_and_refuses_what_they_are_not(
    emulator: LocalAws, clients: dict[str, Any]
) -> None:
    emulator.add_moderation_rule(
        "ApplyGuardrail", {"marker": "violence", "guardrail": "abc123"}, {"action": "GUARDRAIL_INTERVENED"}
    )

    def parameters(declared: str) -> dict[str, Any]:
        block = {"image": {"format": declared, "source": {"bytes": png("violence")}}}
        return {
            "guardrailIdentifier": "abc123",
            "guardrailVersion": "DRAFT",
            "source": "OUTPUT",
            "content": [block],
        }

    apply = clients["bedrock-runtime"].apply_guardrail
    answer = apply(**parameters("png"))
    assert (answer["action"], answer["usage"]["contentPolicyImageUnits"]) == ("GUARDRAIL_INTERVENED", 1)
    assert refused(apply, **parameters("jpeg"))["Error"]["Code"] == "ValidationException"


def test_calls_are_logged_with_the_hash_of_the_image_in_place_of_the_image(
    emulator: LocalAws, clients: dict[str, Any]
) -> None:
    refused(clients["rekognition"].detect_faces, Image={"Bytes": png("logged")})
    wanted = {"sha256": hashlib.sha256(png("logged")).hexdigest()}
    assert wanted in [
        call["parameters"].get("Image", {}).get("Bytes") for call in emulator.calls(api="DetectFaces")
    ]


def test_moderation_can_be_throttled_like_any_api(emulator: LocalAws, clients: dict[str, Any]) -> None:
    emulator.add_moderation_rule("DetectFaces", {"anything": True}, {"FaceDetails": []})
    emulator.add_fault(kind="api", api="DetectFaces", error="ThrottlingException", status=400)
    answer = clients["rekognition"].detect_faces(Image={"Bytes": png()})
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


def test_a_bad_rule_is_refused_with_one_sentence(emulator: LocalAws) -> None:
    with pytest.raises(ValueError, match="are not among DetectFaces's"):
        emulator.add_moderation_rule("DetectFaces", {"anything": True}, {"Faces": []})
