"""Hosting: whether the endpoint of today can draw with the artifact of then."""

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.meta import Condition
from avatar_operator.core.conditions import find_condition
from avatar_operator.model_lifecycle.base_models import base_model_word
from avatar_operator.model_lifecycle.phases.hosting import hosting
from builders import model_stages
from builders.objects import a_condition, a_model, a_runtime
from builders.observations import STANDARD, model_draft, observed_model

OTHER = a_runtime(spec={"baseModel": {"source": "s3://models/other/", "sha256": "c" * 64}})
MOVED = a_runtime(spec={"baseModel": {"source": "s3://elsewhere/base/"}})


def _hosted_on_standard() -> AvatarModelStatus:
    status = model_stages.hosted()
    assert status.artifact is not None
    base = base_model_word(STANDARD.spec.base_model)
    return status.model_copy(update={"artifact": status.artifact.model_copy(update={"base_model": base})})


def _after(status: AvatarModelStatus, runtime: AvatarRuntime | None) -> AvatarModelStatus:
    observation = observed_model(a_model(status=status), runtime=runtime)
    return hosting(observation, model_draft(observation)).status


def _hosted(status: AvatarModelStatus) -> Condition:
    condition = find_condition(status.conditions, "Hosted")
    assert condition is not None
    return condition


def test_an_artifact_of_the_runtimes_base_stays_hosted() -> None:
    assert _after(_hosted_on_standard(), STANDARD) == _hosted_on_standard()


def test_an_artifact_of_another_base_is_not_hosted_and_says_what_would_mend_it() -> None:
    condition = _hosted(_after(_hosted_on_standard(), OTHER))

    assert (condition.status, condition.reason) == ("False", "BaseModelChanged")
    assert "trained on base s3://models/base/@bbbbbbbbbbbb" in condition.message
    assert "s3://models/other/@cccccccccccc" in condition.message
    assert "Raise spec.revision" in condition.message


def test_an_artifact_whose_base_came_back_is_hosted_again() -> None:
    changed = _after(_hosted_on_standard(), OTHER)

    condition = _hosted(_after(changed, STANDARD))

    assert (condition.status, condition.reason) == ("True", "Verified")


def test_a_base_that_was_copied_elsewhere_is_the_same_base() -> None:
    assert _after(_hosted_on_standard(), MOVED) == _hosted_on_standard()


def test_what_is_not_hosted_for_another_reason_is_not_hosted_because_of_the_base() -> None:
    status = _hosted_on_standard()
    lost = [
        a_condition("Hosted", "False", "ArtifactLost") if condition.type == "Hosted" else condition
        for condition in status.conditions
    ]
    status = status.model_copy(update={"conditions": lost})

    assert _after(status, STANDARD) == status


def test_without_its_runtime_nobody_knows_better() -> None:
    assert _after(_hosted_on_standard(), None) == _hosted_on_standard()


def test_without_an_artifact_nothing_is_said_of_hosting() -> None:
    status = _after(model_stages.submitted(), OTHER)

    assert find_condition(status.conditions, "Hosted") is None
