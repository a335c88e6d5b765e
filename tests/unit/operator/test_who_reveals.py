"""What is confidential is revealed where the log or an AvatarRuntime is written, and where it is judged: nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from avatar_operator.core.confidential import NOTHING, WITHHELD, Confidential

OPERATOR = Path(__file__).parents[3] / "operator" / "avatar_operator"
REVEALING = {"reveal", "in_full", "told_in_full"}
MAY_REVEAL = {
    *("announcements/outbox.py", "announcements/sns.py", "aws/errors.py", "backends/failures.py"),
    *("backends/metered/failure_log.py", "backends/s3/claims.py", "backends/s3/cleanup.py"),
    *("backends/sagemaker/drawing.py", "backends/sagemaker/endpoints.py", "backends/sagemaker/training.py"),
    *("core/confidential.py", "core/decision.py", "ingest/sqs.py", "model_lifecycle/controller.py"),
    *("orphans/collector.py", "runtime_lifecycle/lifecycle.py"),
}
"""Each hands it on as confidential, or to the log, or to an AvatarRuntime."""


def test_only_those_reveal_it_who_tell_no_tenant() -> None:
    revealing = {
        file.relative_to(OPERATOR).as_posix()
        for file in OPERATOR.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in REVEALING
    }
    assert revealing <= MAY_REVEAL


@pytest.mark.parametrize("write", [str, repr, "{}".format, "{!r:>3}".format], ids=["str", "repr", "f", "f-r"])
def test_whoever_writes_it_into_a_sentence_says_that_it_is_withheld(write: object) -> None:
    assert callable(write)
    assert write(Confidential("arn:aws:iam::123456789012:role/operator")) == WITHHELD


def test_nothing_is_nothing() -> None:
    assert not NOTHING
    assert Confidential("said")
