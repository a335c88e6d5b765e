"""Rekognition's DetectModerationLabels and DetectFaces.

Sources: the two operations in the Rekognition API reference: MinConfidence is 50 by default; Attributes DEFAULT gives
BoundingBox, Confidence, Pose, Quality and Landmarks, and other attributes are added to these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagemaker_local.moderation.rules import RuleBoard, Subject

MODERATION_MODEL_VERSION = "7.0"
DEFAULT_MIN_CONFIDENCE = 50.0
_DEFAULT_ATTRIBUTES = frozenset({"BoundingBox", "Confidence", "Pose", "Quality", "Landmarks"})
_ATTRIBUTES = {
    "AGE_RANGE": "AgeRange",
    "BEARD": "Beard",
    "EMOTIONS": "Emotions",
    "EYE_DIRECTION": "EyeDirection",
    "EYEGLASSES": "Eyeglasses",
    "EYES_OPEN": "EyesOpen",
    "GENDER": "Gender",
    "MOUTH_OPEN": "MouthOpen",
    "MUSTACHE": "Mustache",
    "FACE_OCCLUDED": "FaceOccluded",
    "SMILE": "Smile",
    "SUNGLASSES": "Sunglasses",
}


def detect_moderation_labels(
    parameters: Mapping[str, Any], subject: Subject, rules: RuleBoard
) -> dict[str, Any]:
    """The rule's labels of at least MinConfidence. Raises AwsError when no rule covers the image."""
    answer = rules.answer("DetectModerationLabels", subject)
    least = parameters.get("MinConfidence", DEFAULT_MIN_CONFIDENCE)
    labels = [
        {"ParentName": "", "TaxonomyLevel": 2 if label.get("ParentName") else 1, **label}
        for label in answer.get("ModerationLabels", [])
        if label.get("Confidence", 100.0) >= least
    ]
    return {
        "ModerationModelVersion": MODERATION_MODEL_VERSION,
        "ContentTypes": [],
        **answer,
        "ModerationLabels": labels,
    }


def detect_faces(parameters: Mapping[str, Any], subject: Subject, rules: RuleBoard) -> dict[str, Any]:
    """The rule's faces, with the attributes that were asked for. Raises AwsError when no rule covers the image."""
    answer = rules.answer("DetectFaces", subject)
    wanted = set(parameters.get("Attributes") or ["DEFAULT"])
    members = _DEFAULT_ATTRIBUTES | {_ATTRIBUTES[name] for name in wanted & set(_ATTRIBUTES)}
    faces = [
        face if "ALL" in wanted else {name: value for name, value in face.items() if name in members}
        for face in answer.get("FaceDetails", [])
    ]
    return {**answer, "FaceDetails": faces}
