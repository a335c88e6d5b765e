"""Deletion: first the users go, then the endpoints, then the runtime itself."""

from dataclasses import replace

import pytest

from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.condition_drafts import set_condition
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import ActionFailed
from avatar_operator.runtime_lifecycle.actions import DeleteEndpoints, EndpointsDeleted, RuntimeAction
from avatar_operator.runtime_lifecycle.lifecycle import decide, summarise
from avatar_operator.runtime_lifecycle.phases.deletion import fold_deletion
from avatar_operator.runtime_lifecycle.users import Users
from builders.clock import NOON
from builders.objects import a_runtime
from builders.observations import observed_runtime, runtime_draft

DENIED = ActionFailed[RuntimeAction](DeleteEndpoints(), "AccessDenied", "sagemaker:DeleteEndpoint.", False)
GOING = a_runtime(deleted_at=NOON)
ABANDONED = GOING.model_copy(
    update={"metadata": GOING.metadata.model_copy(update={"annotations": {"avatars.dev/abandon": "true"}})}
)


def test_a_runtime_in_use_waits_for_its_users_and_counts_them() -> None:
    users = Users(models=3, requests=1, example="AvatarModel team-a/ann")
    observation = observed_runtime(GOING, users=users)

    draft = summarise(observation, decide(observation))

    ready = find_condition(draft.status.conditions, "Ready")
    assert ready is not None
    assert (ready.reason, ready.message) == (
        "InUse",
        "In use by 3 AvatarModels and 1 AvatarRequest, such as AvatarModel team-a/ann: the runtime goes when they are gone.",
    )
    assert draft.actions == ()
    assert draft.finalizer == "Keep"
    assert draft.requeue_after == 30


def test_a_runtime_waits_for_namespaces_in_which_nobody_sees_whether_it_is_used() -> None:
    observation = observed_runtime(GOING, unseen=["team-b"])

    draft = summarise(observation, decide(observation))

    ready = find_condition(draft.status.conditions, "Ready")
    assert ready is not None
    assert ready.reason == "InUse"
    assert "may be in use in team-b, which the operator cannot watch" in ready.message
    assert 'avatars.dev/abandon: "true"' in ready.message
    assert (draft.actions, draft.finalizer, draft.requeue_after) == ((), "Keep", 30)


def test_a_person_who_knows_what_is_in_a_namespace_that_is_not_watched_has_a_way_out() -> None:
    assert decide(observed_runtime(ABANDONED, unseen=["team-b"])).actions == (DeleteEndpoints(),)
    used = observed_runtime(
        ABANDONED, unseen=["team-b"], users=Users(models=1, example="AvatarModel team-a/ann")
    )
    assert decide(used).actions == ()


def test_a_runtime_without_users_takes_its_endpoints_with_it() -> None:
    assert decide(observed_runtime(GOING)).actions == (DeleteEndpoints(),)


def test_a_runtime_that_is_going_and_not_held_is_left_alone() -> None:
    assert decide(observed_runtime(a_runtime(deleted_at=NOON, finalizers=()))).actions == ()


def test_a_denied_deletion_says_so_in_every_condition_that_people_read_and_names_the_way_out() -> None:
    observation = observed_runtime(GOING)

    draft = summarise(observation, fold_deletion(observation, runtime_draft(observation), DENIED))

    assert draft.finalizer == "Keep"
    assert draft.retrying is not None
    assert draft.retrying.at_least == 30
    for condition_type, status in (("Ready", "False"), ("Reconciling", "True")):
        condition = find_condition(draft.status.conditions, condition_type)
        assert condition is not None
        assert (condition.status, condition.reason) == (status, "AccessDenied")
        assert "sagemaker:DeleteEndpoint" in condition.message
        assert 'avatars.dev/abandon: "true"' in condition.message


def test_a_deletion_that_is_denied_again_is_told_in_the_words_of_the_first_time() -> None:
    observation = observed_runtime(GOING)
    told = summarise(observation, fold_deletion(observation, runtime_draft(observation), DENIED))
    again = observed_runtime(GOING.model_copy(update={"status": told.status}))

    draft = fold_deletion(again, runtime_draft(again), replace(DENIED, message="Request 2 was denied."))

    assert summarise(again, draft).status == told.status


def test_a_denied_deletion_is_told_although_the_same_reason_stood_there_before() -> None:
    observation = observed_runtime(GOING)
    before = set_condition(
        observation,
        runtime_draft(observation),
        "Ready",
        "False",
        "AccessDenied",
        "sagemaker:DescribeEndpoint.",
    )

    draft = fold_deletion(observation, before, DENIED)

    ready = find_condition(draft.status.conditions, "Ready")
    assert ready is not None
    assert "sagemaker:DeleteEndpoint" in ready.message


def test_an_abandoned_runtime_goes_and_names_what_stays() -> None:
    observation = observed_runtime(ABANDONED)

    draft = fold_deletion(observation, runtime_draft(observation), DENIED)

    (farewell,) = draft.farewells
    assert draft.finalizer == "Remove"
    assert draft.retrying is None
    assert (farewell.type, farewell.reason) == ("Warning", "Abandoned")
    assert "avatar-inference, avatar-training" in farewell.message
    assert "sagemaker:DeleteEndpoint" in farewell.message


@pytest.mark.parametrize("annotation", ["false", "yes", ""])
def test_only_true_abandons(annotation: str) -> None:
    metadata = GOING.metadata.model_copy(update={"annotations": {"avatars.dev/abandon": annotation}})
    observation = observed_runtime(GOING.model_copy(update={"metadata": metadata}))

    assert fold_deletion(observation, runtime_draft(observation), DENIED).finalizer == "Keep"


def test_an_abandoned_runtime_still_waits_for_endpoints_that_are_going() -> None:
    observation = observed_runtime(ABANDONED)
    going = EndpointsDeleted(EndpointsFacts(ready=False, reason="Deleting", message=""))

    assert fold_deletion(observation, runtime_draft(observation), going).finalizer == "Keep"
