"""Which requests are moderation's, how they are read, and who answers them.

    X-Amz-Target: RekognitionService.Detect...      rekognition.py     (JSON 1.1)
    X-Amz-Target: Comprehend_20171127.Detect...     comprehend.py      (JSON 1.1)
    POST /guardrail/<id>/version/<version>/apply    guardrails.py      (REST-JSON)

Requests are validated by botocore's models of these services, as AWS validates them. An SDK that speaks CBOR to Comprehend is
not understood; boto3 and the AWS CLI speak JSON.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from sagemaker_local.aws_clients import AwsClients, Scope
from sagemaker_local.credential_scope import signed_scope
from sagemaker_local.errors import AwsError, json_response
from sagemaker_local.moderation.comprehend import detect_toxic_content
from sagemaker_local.moderation.guardrails import apply_guardrail
from sagemaker_local.moderation.images import decoded, rekognition_subject
from sagemaker_local.moderation.rekognition import detect_faces, detect_moderation_labels
from sagemaker_local.moderation.rules import RuleBoard
from sagemaker_local.request_bodies import read_json
from sagemaker_local.shapes import report, service_model, violations

MAX_REQUEST_BYTES = 16 << 20
_TARGETS = {
    "RekognitionService.DetectModerationLabels": ("rekognition", "DetectModerationLabels"),
    "RekognitionService.DetectFaces": ("rekognition", "DetectFaces"),
    "Comprehend_20171127.DetectToxicContent": ("comprehend", "DetectToxicContent"),
}
_APPLY_GUARDRAIL = re.compile(r"^/guardrail/(.+)/version/([^/]+)/apply$")


@dataclass(frozen=True)
class ModerationCall:
    """A request of ours.

    Attributes:
        signing_name: the service name in its signature.
    """

    service: str
    operation: str
    signing_name: str


def recognise(method: str, path: str, target: str, authorization: str) -> ModerationCall | None:
    """Whether a request is one of moderation's.

    Arguments:
        target: the X-Amz-Target header.
        authorization: the Authorization header; it tells a guardrail's path from one of S3's.
    """
    if target in _TARGETS:
        service, operation = _TARGETS[target]
        return ModerationCall(service, operation, service)
    if method == "POST" and _APPLY_GUARDRAIL.match(path):
        signed = signed_scope(authorization)
        if signed is not None and signed.service == "bedrock":
            return ModerationCall("bedrock-runtime", "ApplyGuardrail", signed.service)
    return None


class Moderation:
    """Answers moderation's requests by the rules that are set.

    Attributes:
        rules: the rules; the control API changes them.
    """

    def __init__(self, clients: AwsClients) -> None:
        self.rules = RuleBoard()
        self._clients = clients

    def answer(self, call: ModerationCall, request: Request, scope: Scope) -> Response:
        """Carry a request out.

        Raises:
            AwsError: what AWS would refuse, and NoModerationRule.
        """
        parameters = _parameters(request)
        shape = service_model(call.service).operation_model(call.operation).input_shape
        found = violations(shape, parameters, "")
        if found:
            raise AwsError("ValidationException", report(found))
        if call.operation == "DetectToxicContent":
            return json_response(detect_toxic_content(parameters, self.rules))
        if call.operation == "ApplyGuardrail":
            return json_response(apply_guardrail(parameters, self.rules))
        for name in ("HumanLoopConfig", "ProjectVersion"):
            if name in parameters:
                raise AwsError("InvalidParameterException", f"sagemaker-local does not implement {name}.")
        subject = rekognition_subject(parameters["Image"], self._clients, scope)
        detect = detect_faces if call.operation == "DetectFaces" else detect_moderation_labels
        return json_response(detect(parameters, subject, self.rules))


def read_for_the_log(request: Request) -> dict[str, Any]:
    """The request's parameters, each image replaced by its SHA-256."""
    parameters: dict[str, Any] = _without_images(_parameters(request))
    return parameters


def _parameters(request: Request) -> dict[str, Any]:
    too_large = AwsError(
        "RequestEntityTooLargeException", f"the request exceeds {MAX_REQUEST_BYTES} bytes", 413
    )
    parameters = read_json(request, MAX_REQUEST_BYTES, too_large)
    guardrail = _APPLY_GUARDRAIL.match(request.path)
    if guardrail:
        parameters |= {"guardrailIdentifier": guardrail[1], "guardrailVersion": guardrail[2]}
    return parameters


def _without_images(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: {"sha256": hashlib.sha256(decoded(item)).hexdigest()}
            if name in ("Bytes", "bytes")
            else _without_images(item)
            for name, item in value.items()
        }
    return [_without_images(item) for item in value] if isinstance(value, list) else value
