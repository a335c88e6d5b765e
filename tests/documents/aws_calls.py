"""Every operation of AWS that the operator calls, read from its source, and the IAM action that allows it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore import xform_name

OPERATOR = Path(__file__).parents[2] / "operator" / "avatar_operator"
CLIENTS = {
    "s3": ("s3",),
    "sns": ("sns",),
    "sqs": ("sqs",),
    "sts": ("sts",),
    "client": ("s3", "sagemaker", "sagemaker-runtime", "application-autoscaling", "cloudwatch"),
}
"""The services that a variable of a name may stand for."""
BY_NAME = "_autoscaling"
"""Whoever is called with the operation's name."""
ACTIONS = {
    ("s3", "HeadObject"): ("s3:GetObject", "s3:GetObjectVersion"),
    ("s3", "GetObject"): ("s3:GetObject", "s3:GetObjectVersion"),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("s3", "ListObjectVersions"): ("s3:ListBucketVersions",),
    ("s3", "ListMultipartUploads"): ("s3:ListBucketMultipartUploads",),
    ("s3", "DeleteObjects"): ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    ("sqs", "DeleteMessageBatch"): ("sqs:DeleteMessage",),
    ("sqs", "ChangeMessageVisibilityBatch"): ("sqs:ChangeMessageVisibility",),
    ("sagemaker", "CreateModel"): ("sagemaker:CreateModel", "sagemaker:AddTags", "iam:PassRole"),
}
"""Where an action is not called as its operation is. (Service Authorization Reference; S3 User Guide, "Required
permissions".)
"""


def needed_actions() -> set[str]:
    """The IAM actions that the operator's calls need."""
    session: Any = boto3.session.Session()
    services = {service for candidates in CLIENTS.values() for service in candidates}
    operations = {
        service: session.client(
            service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        ).meta.service_model.operation_names
        for service in services
    }
    methods = {
        service: {xform_name(operation): operation for operation in names}
        for service, names in operations.items()
    }
    return {
        action
        for candidates, method in _calls()
        for service in candidates
        if method in methods[service]
        for action in _actions(service, methods[service][method])
    }


def _actions(service: str, operation: str) -> tuple[str, ...]:
    prefix = "sagemaker" if service == "sagemaker-runtime" else service
    return ACTIONS.get((service, operation), (f"{prefix}:{operation}",))


def _calls() -> Iterator[tuple[tuple[str, ...], str]]:
    """Methods of AWS clients that are called, with the services that they may belong to."""
    for file in sorted(OPERATOR.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr == BY_NAME and isinstance(node.args[0], ast.Constant):
                yield ("application-autoscaling",), xform_name(str(node.args[0].value))
            elif isinstance(node.func.value, ast.Name) and node.func.value.id in CLIENTS:
                method = node.func.attr
                if method == "get_paginator" and isinstance(node.args[0], ast.Constant):
                    method = str(node.args[0].value)
                yield CLIENTS[node.func.value.id], method
