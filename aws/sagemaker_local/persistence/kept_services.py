"""Which services are kept, and which of them a request may change. Pure, and free of moto, whose import would slow every
start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sagemaker_local.credential_scope import credential_scope

KEPT_SERVICES = frozenset(
    {
        "application-autoscaling",
        "cloudwatch",
        "iam",
        "kms",
        "s3",
        "sagemaker",
        "secretsmanager",
        "sns",
        "sqs",
        "ssm",
    }
)
# A request to one service may change another: S3 notifies, SNS delivers, scaling policies make alarms.
_CHANGES = {
    "application-autoscaling": {"application-autoscaling", "cloudwatch"},
    "monitoring": {"cloudwatch"},
    "s3": {"s3", "sns", "sqs"},
    "sns": {"sns", "sqs"},
}
_READING = re.compile(r"(BatchGet|Describe|Detect|Get|List|Lookup|PutMetricData$|Receive|Search)")


class UnreadableState(ValueError):
    """The directory holds state that this program cannot read. One sentence."""


def changed_services(environ: Mapping[str, Any]) -> frozenset[str]:
    """The kept services whose records a request may change."""
    path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "GET")
    if path.startswith("/moto-api/"):
        return KEPT_SERVICES if method != "GET" else frozenset()
    if path.startswith("/endpoints/"):
        return frozenset()
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if path.startswith("/service/"):
        operation = path.rpartition("/")[2]
    if _READING.match(operation):
        return frozenset()
    signed = credential_scope(environ)
    service = signed.service if signed else "s3"
    if service == "s3" and method in ("GET", "HEAD", "OPTIONS"):
        return frozenset()
    return KEPT_SERVICES & _CHANGES.get(service, {service})
