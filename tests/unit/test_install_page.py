"""docs/install.md: what it has one type fits the chart, the example, and the policies that come after it."""

from __future__ import annotations

import json
import re
import subprocess
from string import Template

import yaml

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.model_lifecycle.phases.acceptance import refusal
from documents.pages import DOCS, REPOSITORY, commands, section

CHART_VALUES = REPOSITORY / "charts" / "avatar-operator" / "values.yaml"
EXAMPLE_RUNTIME = REPOSITORY / "examples" / "01-first-avatar" / "runtime.yaml"
INSTALL = DOCS / "install.md"
EXPORTED = re.compile(r"\b(A\w+)='?([\w*-]+)'?")
NAMES = ("AVATARS_BUCKET", "AVATARS_QUEUE", "AVATARS_SUCCESS_TOPIC", "AVATARS_ERROR_TOPIC", "AWS_REGION")


def exported(text: str) -> dict[str, str]:
    """The variables that a page has one export."""
    return dict(EXPORTED.findall(text))


def test_the_runtime_of_the_charts_demo_takes_the_examples_model_as_it_is_changed_there() -> None:
    (typed,) = [line for line in commands(INSTALL) if "model.yaml | kubectl apply" in line]
    changed = subprocess.run(
        ["bash", "-c", typed.partition(" | kubectl")[0]], cwd=REPOSITORY, capture_output=True, check=True
    )
    demo = yaml.safe_load(CHART_VALUES.read_text())["demo"]["runtime"]
    model = AvatarModel.model_validate(yaml.safe_load(changed.stdout))
    runtime = AvatarRuntime.model_validate({"metadata": {"name": demo["name"]}, "spec": demo["spec"]})

    assert model.spec.runtime_ref.name == demo["name"]
    assert refusal(runtime, model, {}) is None


def test_what_is_made_is_what_the_policies_are_filled_in_with() -> None:
    made = exported(section(INSTALL, "On EKS with SageMaker"))
    allowed = exported(section(DOCS / "operating.md", "Permissions on AWS"))

    assert {name: made[name] for name in NAMES} == {name: allowed[name] for name in NAMES}


def test_the_examples_runtime_names_the_topics_that_are_made() -> None:
    made = exported(section(INSTALL, "On EKS with SageMaker"))
    runtime = yaml.safe_load(EXAMPLE_RUNTIME.read_text())
    notifications = runtime["spec"]["backend"]["sagemaker"]["notifications"]

    assert notifications["successTopicARN"].endswith(f":{made['AVATARS_SUCCESS_TOPIC']}")
    assert notifications["errorTopicARN"].endswith(f":{made['AVATARS_ERROR_TOPIC']}")


def test_the_queue_takes_messages_from_both_topics_and_nobody_else() -> None:
    made = exported(section(INSTALL, "On EKS with SageMaker")) | {"AWS_ACCOUNT_ID": "123456789012"}
    policy = json.loads(Template((DOCS / "iam" / "queue-policy.json").read_text()).substitute(made))

    (statement,) = policy["Statement"]
    assert statement["Resource"] == "arn:aws:sqs:eu-central-1:123456789012:avatars-operator"
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == [
        "arn:aws:sns:eu-central-1:123456789012:avatars-training-succeeded",
        "arn:aws:sns:eu-central-1:123456789012:avatars-training-failed",
    ]
