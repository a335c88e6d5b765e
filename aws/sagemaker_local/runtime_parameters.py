"""The parameters of a SageMaker Runtime call, read from its HTTP request.

Both invoke operations carry everything but the payload in headers. Which header is which parameter, and what it may hold, is
in botocore's model of the service; reading it from there keeps validation complete and current.

One thing AWS does not have: an InputLocation may be an `http://` URL of this very server, which is what presigning gives here.
It is read as the `s3://` location that it names, before the model's pattern, which wants https, sees it.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request

from sagemaker_local.errors import validation_error
from sagemaker_local.s3_objects import S3Location
from sagemaker_local.shapes import report, service_model, violations


def read_parameters(operation: str, endpoint_name: str, request: Request) -> dict[str, Any]:
    """The call's parameters by their API names, without the body, validated.

    Raises:
        AwsError: ValidationError, in AWS's words.
    """
    shape = service_model("sagemaker-runtime").operation_model(operation).input_shape
    assert shape is not None
    parameters: dict[str, Any] = {"EndpointName": endpoint_name}
    found: list[str] = []
    for name, member in shape.members.items():
        if member.serialization.get("location") != "header":
            continue
        text = request.headers.get(member.serialization["name"])
        if text is None:
            continue
        if member.type_name == "integer":
            try:
                parameters[name] = int(text)
            except ValueError:
                raise validation_error(f"Value '{text[:256]}' at '{name}' is not an integer") from None
        else:
            parameters[name] = text
    ours = S3Location.served_at(parameters.get("InputLocation", ""), request.host)
    if ours is not None:
        parameters["InputLocation"] = str(ours)
    for name, value in parameters.items():
        found += violations(shape.members[name], value, name[:1].lower() + name[1:])
    if found:
        raise validation_error(report(found))
    return parameters
