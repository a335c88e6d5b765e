"""What every operation of ours goes through, whatever it does.

    whose call is it -> signature -> parameters -> IAM -> faults on demand -> carried out -> faults on demand -> call log

A refusal at any step is AWS's error in AWS's form; nothing escapes as a web page, which botocore would retry.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from werkzeug.wrappers import Request, Response

from sagemaker_local import moto_bridge
from sagemaker_local.authorization.authorizer import authenticate
from sagemaker_local.aws_clients import Scope
from sagemaker_local.calls import Call, CallLog
from sagemaker_local.clock import Clock
from sagemaker_local.credential_scope import signed_scope
from sagemaker_local.errors import AwsError, error_response
from sagemaker_local.faults import FaultBoard
from sagemaker_local.own_operations import OwnOperation

logger = logging.getLogger(__name__)


class Answering:
    """Answers the requests for our operations, under the faults that are ordered for them, and records each."""

    def __init__(self, calls: CallLog, faults: FaultBoard) -> None:
        self._calls = calls
        self._faults = faults

    def answer(self, operation: OwnOperation, request: Request) -> Response:
        """Carry one call out; never raises."""
        scope = _scope(request)
        parameters: dict[str, Any] = {}
        error: str | None = None
        carried_out = False
        try:
            caller = None if operation.checked_by_moto else authenticate(request, scope, operation.service)
            parameters = operation.read(request)
            if caller is not None:
                caller.authorize(operation.name, parameters)
            fault = self._faults.take_api(operation.name)
            if fault and fault.seconds:
                time.sleep(fault.seconds)
            if fault and fault.error and fault.when == "before":
                raise AwsError(fault.error, fault.message, fault.status)
            response = operation.carry_out(request, scope, parameters)
            carried_out = response.status_code < 400
            if fault and fault.error:
                raise AwsError(fault.error, fault.message, fault.status)
        except AwsError as refusal:
            error = refusal.code
            response = error_response(refusal)
        except Exception as unexpected:
            logger.exception("%s failed inside sagemaker-local", operation.name)
            error = "InternalFailure"
            response = error_response(AwsError(error, f"{type(unexpected).__name__}: {unexpected}", 500))
        if error is None and response.status_code >= 400:
            error = str((response.get_json(force=True, silent=True) or {}).get("__type"))
        call = Call(
            time=Clock.now().isoformat(),
            api=operation.name,
            account=scope.account,
            region=scope.region,
            parameters=parameters,
            carried_out=carried_out,
            status=response.status_code,
            error=error,
        )
        self._calls.record(call)
        return response


def _scope(request: Request) -> Scope:
    """Account and region of a call, from the credential in its signature."""
    signed = signed_scope(request.headers.get("Authorization", ""))
    access_key, region = (signed.access_key, signed.region) if signed else ("unsigned", "us-east-1")
    return Scope(moto_bridge.account_of(access_key), region, access_key)
