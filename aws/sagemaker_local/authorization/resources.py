"""Which resources an operation of SageMaker is about. Pure.

The rule is that of the service authorization reference: an operation is authorized for the ARNs of what it names. Create,
Describe, Update, Delete, Stop and Start name their resource by `<Resource>Name`; the exceptions are listed. What names nothing
is authorized for `*`.

Source: "Actions, resources, and condition keys for Amazon SageMaker" in the service authorization reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sagemaker_local.aws_clients import Scope

_VERB = re.compile(r"^(?:Create|Describe|Update|Delete|Stop|Start)(.+)$")
_WORD = re.compile(r"(?<!^)(?=[A-Z])")
_NAMED: Mapping[str, tuple[str, ...]] = {
    "CreateEndpoint": ("Endpoint", "EndpointConfig"),
    "UpdateEndpoint": ("Endpoint", "EndpointConfig"),
    "UpdateEndpointWeightsAndCapacities": ("Endpoint",),
    "InvokeEndpoint": ("Endpoint",),
    "InvokeEndpointAsync": ("Endpoint",),
    "InvokeEndpointWithResponseStream": ("Endpoint",),
}


def resources(scope: Scope, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """The ARNs that a SageMaker operation must be allowed for; `*` when it names none."""
    if "ResourceArn" in parameters:
        return [str(parameters["ResourceArn"])]
    verb = _VERB.match(operation)
    named = _NAMED.get(operation, (verb[1],) if verb else ())
    found = [
        scope.arn("sagemaker", f"{_WORD.sub('-', kind).lower()}/{parameters[f'{kind}Name']}")
        for kind in named
        if parameters.get(f"{kind}Name")
    ]
    return found or ["*"]
