"""What a runtime's endpoints shall be: names that say what they hold."""

from __future__ import annotations

from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.endpoint_plan import endpoint_plans, is_derived_name
from builders.backend_objects import BUCKET, make_runtime

LONGEST_NAME = "a" * 50


def changed(runtime: AvatarRuntime, **spec: Any) -> AvatarRuntime:
    return runtime.model_copy(update={"spec": runtime.spec.model_copy(update=spec)})


def test_the_same_runtime_gives_the_same_names() -> None:
    assert endpoint_plans(make_runtime()) == endpoint_plans(make_runtime())


def test_the_training_endpoint_is_asynchronous_and_runs_one_training_at_a_time() -> None:
    training, _ = endpoint_plans(make_runtime())
    config = training.config["AsyncInferenceConfig"]
    assert config["OutputConfig"]["S3OutputPath"] == f"s3://{BUCKET}/requests/output/"
    assert config["OutputConfig"]["S3FailurePath"] == f"s3://{BUCKET}/requests/failure/"
    assert config["OutputConfig"]["NotificationConfig"]["ErrorTopic"].endswith(":avatars-error")
    assert config["ClientConfig"] == {"MaxConcurrentInvocationsPerInstance": 1}


def test_the_inference_endpoint_loads_models_from_the_artifact_prefix() -> None:
    _, inference = endpoint_plans(make_runtime())
    container = inference.model["PrimaryContainer"]
    assert (container["Mode"], container["ModelDataUrl"]) == ("MultiModel", f"s3://{BUCKET}/artifacts/")
    assert "AsyncInferenceConfig" not in inference.config


def test_workers_are_told_which_base_to_hold() -> None:
    for plan in endpoint_plans(make_runtime()):
        assert plan.model["PrimaryContainer"]["Environment"] == {
            "AVATAR_BASE_MODEL_SOURCE": f"s3://{BUCKET}/base/",
            "AVATAR_BASE_MODEL_REVISION": "main",
            "AVATAR_BASE_MODEL_SHA256": "b" * 64,
        }


def test_another_base_makes_another_model_and_configuration() -> None:
    runtime = make_runtime()
    other = changed(runtime, base_model=runtime.spec.base_model.model_copy(update={"sha256": "c" * 64}))
    for before, after in zip(endpoint_plans(runtime), endpoint_plans(other), strict=True):
        assert before.model_name != after.model_name
        assert before.config_name != after.config_name


def test_another_instance_count_makes_another_configuration_of_the_same_model() -> None:
    endpoint = {"endpointName": "tests-training", "image": "stand-in", "instanceType": "ml.m5.large"}
    before, _ = endpoint_plans(make_runtime(training={**endpoint, "instanceCount": 1}))
    after, _ = endpoint_plans(make_runtime(training={**endpoint, "instanceCount": 2}))
    assert before.model_name == after.model_name
    assert before.config_name != after.config_name


def test_two_runtimes_never_share_a_configuration() -> None:
    runtime = make_runtime()
    other = runtime.model_copy(update={"metadata": runtime.metadata.model_copy(update={"uid": "another"})})
    assert endpoint_plans(runtime)[0].config_name != endpoint_plans(other)[0].config_name


def test_names_fit_sagemakers_63_characters() -> None:
    endpoint = {"endpointName": LONGEST_NAME, "image": "stand-in"}
    for plan in endpoint_plans(make_runtime(training=endpoint, inference=endpoint)):
        assert len(plan.config_name) <= 63
        assert len(plan.model_name) <= 63


def test_derived_names_are_recognised_and_neighbours_are_not() -> None:
    plan, _ = endpoint_plans(make_runtime())
    assert is_derived_name("tests-training", plan.config_name)
    assert not is_derived_name("tests-training", "tests-training")
    assert not is_derived_name("tests-training", "tests-training-blue-0123abcd")
    assert not is_derived_name("tests.training", plan.config_name)


def test_a_runtime_without_a_role_is_refused() -> None:
    with pytest.raises(BackendError, match="executionRoleARN"):
        endpoint_plans(make_runtime(executionRoleARN=None))


def test_an_endpoint_has_its_own_role_where_it_names_one() -> None:
    own = "arn:aws:iam::123456789012:role/inference"
    inference = {"endpointName": "tests-inference", "image": "stand-in", "executionRoleARN": own}
    roles = [plan.model["ExecutionRoleArn"] for plan in endpoint_plans(make_runtime(inference=inference))]
    assert roles == ["arn:aws:iam::123456789012:role/avatars", own]


def test_no_role_of_both_is_needed_where_each_endpoint_names_one() -> None:
    endpoints: dict[str, Any] = {
        part: {
            "endpointName": f"tests-{part}",
            "image": "stand-in",
            "executionRoleARN": f"arn:aws:iam::1:role/{part}",
        }
        for part in ("training", "inference")
    }
    plans = endpoint_plans(make_runtime(executionRoleARN=None, **endpoints))
    assert [plan.model["ExecutionRoleArn"] for plan in plans] == [
        "arn:aws:iam::1:role/training",
        "arn:aws:iam::1:role/inference",
    ]
