"""Every reason that the operator can give, read from its source.

A reason is a CamelCase word. It stands where it is given: in a call that takes one, or before its message in a pair.
Words that come from elsewhere (AWS's failures, a worker's codes, an endpoint's state) are taken from where they are listed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeGuard, get_args

from avatar_api.documents.errors import WorkerErrorCode
from avatar_api.documents.training import Stage
from avatar_operator.aws.errors import FAILURE_REASONS
from avatar_operator.backends.sagemaker.endpoint_refusal import EndpointRefusal
from avatar_operator.backends.sagemaker.endpoint_state import BROKEN, CHANGING

OPERATOR = Path(__file__).parents[2] / "operator" / "avatar_operator"
PLACES = {
    "set_condition": 4,
    "set_lasting_condition": 4,
    "at_work": 2,
    "at_rest": 2,
    "stalled": 2,
    "fail_request": None,
    "fail_attempt": None,
    "Retry": 0,
    "Notice": 1,
    "RequestWarning": None,
    "BackendError": 0,
    "UndeliverableError": 0,
    "AwsFailure": 0,
    "EndpointsFacts": 1,
    "EndpointVerdict": 1,
    "FailureCause": 0,
    "_cause": 0,
    "AttemptFailed": 0,
    "Deadline": 1,
    "_news": 2,
    "_refuse": 2,
    "_wait": 2,
    "_give_up": 3,
}
"""Who takes a reason, and at which place; None if only by name."""
RETRIED = ("Retry", "BackendError", "AwsFailure", "EndpointVerdict")
"""Who takes a reason for which a pass may be repeated."""
WORD = re.compile(r"[A-Z][a-z]+([A-Z][a-z]+)*")


def reasons_in_code() -> set[str]:
    """All of them."""
    found = {*FAILURE_REASONS, *get_args(WorkerErrorCode), *get_args(Stage), *CHANGING, *BROKEN}
    found |= {refusal.value for refusal in EndpointRefusal}
    for file in sorted(OPERATOR.rglob("*.py")):
        found |= set(_reasons(ast.parse(file.read_text())))
    return found


def retry_reasons_in_code() -> set[str]:
    """Those for which passes are repeated. What announcements fail at repeats none."""
    found = set(FAILURE_REASONS) | {refusal.value for refusal in EndpointRefusal}
    for file in sorted(OPERATOR.rglob("*.py")):
        if "announcements" not in file.parts:
            found |= set(_reasons(ast.parse(file.read_text()), _is_retried))
    return found


def _is_retried(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in RETRIED:
        return False
    said = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
    # An endpoint is looked at again by itself, unless it failed.
    return said.get("retryable") is not False and (
        getattr(node.func, "id", "") != "EndpointVerdict" or said.get("failed") is True
    )


def _reasons(module: ast.Module, wanted: Callable[[ast.AST], bool] = lambda _: True) -> Iterator[str]:
    constants = {
        target.id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in filter(wanted, ast.walk(module)):
        for given in _given(node):
            for part in ast.walk(given):
                word = constants.get(part.id) if isinstance(part, ast.Name) else getattr(part, "value", None)
                if isinstance(word, str) and WORD.fullmatch(word):
                    yield word


def _given(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in PLACES:
            place = PLACES[name]
            if place is not None and len(node.args) > place:
                yield node.args[place]
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "reason")
    elif _is_pair(node):
        yield node.elts[0]


def _is_pair(node: ast.AST) -> TypeGuard[ast.Tuple]:
    """Whether this is a word and a sentence."""
    if not isinstance(node, ast.Tuple) or len(node.elts) != 2:
        return False
    return isinstance(node.elts[0], ast.Constant | ast.Name) and _is_sentence(node.elts[1])


def _is_sentence(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr | ast.Call) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    )
