"""Endpoints of a runtime on a control plane that lives: made, rolled, observed, deleted."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntime, EndpointStatus
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.endpoint_plan import endpoint_plans
from avatar_operator.backends.selection import Backend
from builders.backend_objects import eventually, make_runtime
from sagemaker_local.testing import LocalAws

A_DAY = 86400.0


def named_runtime(name: str, **training: Any) -> AvatarRuntime:
    """A runtime with its own endpoints; keyword arguments replace members of the training endpoint."""
    common = {"image": "trivial", "instanceType": "ml.m5.large"}
    return make_runtime(
        name,
        training={"endpointName": f"{name}-training", **common, **training},
        inference={"endpointName": f"{name}-inference", **common},
    )


def observing(runtime: AvatarRuntime) -> AvatarRuntime:
    spec = runtime.spec.model_copy(update={"management_policy": "Observe"})
    return runtime.model_copy(update={"spec": spec})


async def served(backend: Backend, runtime: AvatarRuntime) -> None:
    await eventually(lambda: backend.compute.ensure_endpoints(runtime), lambda facts: facts.ready)


@pytest.fixture
async def name(backend: Backend) -> AsyncIterator[str]:
    """A name for a runtime whose endpoints are deleted after the test."""
    name = f"r{uuid.uuid4().hex[:10]}"
    yield name
    await eventually(lambda: backend.compute.delete_endpoints(make_runtime(name)), lambda facts: facts.ready)


@pytest.fixture
def sagemaker(local_aws: LocalAws) -> Any:
    return local_aws.client("sagemaker")


def derived_names(sagemaker: Any, name: str) -> tuple[set[str], set[str]]:
    configs = sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
    models = sagemaker.list_models(NameContains=name)["Models"]
    return (
        {config["EndpointConfigName"] for config in configs if name in config["EndpointConfigName"]},
        {model["ModelName"] for model in models if name in model["ModelName"]},
    )


async def test_endpoints_are_created_once_however_often_they_are_ensured(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    runtime = named_runtime(name)
    first = await backend.compute.ensure_endpoints(runtime)
    assert (first.ready, first.reason) == (False, "Creating")
    await served(backend, runtime)
    await backend.compute.ensure_endpoints(runtime)
    for role in ("training", "inference"):
        assert len(local_aws.calls(api="CreateEndpoint", EndpointName=f"{name}-{role}")) == 1


async def test_a_crash_after_the_configuration_was_made_goes_on_from_there(
    backend: Backend, sagemaker: Any, name: str
) -> None:
    runtime = named_runtime(name)
    training, _ = endpoint_plans(runtime)
    sagemaker.create_model(ModelName=training.model_name, **training.model)
    await served(backend, runtime)


async def test_a_change_rolls_the_endpoint_and_the_old_configuration_goes(
    backend: Backend, sagemaker: Any, name: str
) -> None:
    await served(backend, named_runtime(name))
    runtime = named_runtime(name, startupTimeoutSeconds=900)
    rolling = await backend.compute.ensure_endpoints(runtime)
    assert (rolling.ready, rolling.reason) == (False, "Rolling")
    await served(backend, runtime)
    plans = endpoint_plans(runtime)
    assert derived_names(sagemaker, name) == (
        {plan.config_name for plan in plans},
        {plan.model_name for plan in plans},
    )


async def test_a_failed_roll_is_told_and_not_repeated_and_the_old_endpoint_serves_on(
    backend: Backend, local_aws: LocalAws, sagemaker: Any, name: str
) -> None:
    await served(backend, named_runtime(name))
    runtime = named_runtime(name, image="no-such-image")
    facts = await eventually(lambda: backend.compute.ensure_endpoints(runtime), lambda facts: facts.failed)
    assert facts.reason == "EndpointFailed"
    assert "no-such-image" in facts.message
    await backend.compute.ensure_endpoints(runtime)
    assert len(local_aws.calls(api="UpdateEndpoint", EndpointName=f"{name}-training")) == 1
    assert sagemaker.describe_endpoint(EndpointName=f"{name}-training")["EndpointStatus"] == "InService"


async def test_an_endpoint_that_is_just_changing_is_rolled_later(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    await served(backend, named_runtime(name))
    local_aws.add_fault(
        kind="api",
        api="UpdateEndpoint",
        error="ValidationException",
        status=400,
        message=f'Cannot update in-progress endpoint "{name}-training".',
    )
    runtime = named_runtime(name, startupTimeoutSeconds=900)
    assert not (await backend.compute.ensure_endpoints(runtime)).failed
    await served(backend, runtime)


async def test_an_endpoint_that_failed_at_birth_is_replaced_once_the_runtime_is_corrected(
    backend: Backend, name: str
) -> None:
    wrong = named_runtime(name, image="no-such-image")
    await eventually(lambda: backend.compute.ensure_endpoints(wrong), lambda facts: facts.failed)
    await served(backend, named_runtime(name))


async def test_somebody_elses_endpoint_of_the_same_name_is_not_touched(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    await served(backend, named_runtime(name))
    runtime = named_runtime(name)
    intruder = runtime.model_copy(
        update={"metadata": runtime.metadata.model_copy(update={"uid": "somebody-else"})}
    )
    with pytest.raises(BackendError) as caught:
        await backend.compute.ensure_endpoints(intruder)
    assert (caught.value.reason, caught.value.retryable) == ("NameConflict", False)
    deleted = await backend.compute.delete_endpoints(intruder)
    assert deleted.ready
    assert local_aws.calls(api="UpdateEndpoint", EndpointName=f"{name}-training") == []
    assert local_aws.calls(api="DeleteEndpoint", EndpointName=f"{name}-training") == []


async def test_deleting_leaves_no_endpoint_configuration_or_model(
    backend: Backend, sagemaker: Any, name: str
) -> None:
    runtime = named_runtime(name)
    await served(backend, runtime)
    assert not (await backend.compute.delete_endpoints(runtime)).ready
    await eventually(lambda: backend.compute.delete_endpoints(runtime), lambda facts: facts.ready)
    assert derived_names(sagemaker, name) == (set(), set())


def _remembering(runtime: AvatarRuntime, *former: EndpointStatus) -> AvatarRuntime:
    status = runtime.status.model_copy(update={"endpoints": list(former)})
    return runtime.model_copy(update={"status": status})


async def test_an_endpoint_that_the_spec_names_no_more_goes_with_everything_that_was_made_for_it(
    backend: Backend, sagemaker: Any, name: str
) -> None:
    await served(backend, named_runtime(name))
    former = EndpointStatus(role="Training", name=f"{name}-training", state="InService")
    renamed = _remembering(named_runtime(name, endpointName=f"{name}-faster"), former)
    await served(backend, renamed)

    assert not (await backend.compute.retire_endpoint(renamed, former)).ready
    await eventually(lambda: backend.compute.retire_endpoint(renamed, former), lambda facts: facts.ready)

    plans = endpoint_plans(renamed)
    assert derived_names(sagemaker, name) == (
        {plan.config_name for plan in plans},
        {plan.model_name for plan in plans},
    )
    endpoints = sagemaker.list_endpoints(NameContains=name)["Endpoints"]
    assert {endpoint["EndpointName"] for endpoint in endpoints} == {f"{name}-faster", f"{name}-inference"}
    await eventually(lambda: backend.compute.delete_endpoints(renamed), lambda facts: facts.ready)


async def test_somebody_elses_endpoint_is_not_retired(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    await served(backend, named_runtime(name))
    runtime = named_runtime(name)
    other = runtime.model_copy(
        update={"metadata": runtime.metadata.model_copy(update={"uid": "somebody-else"})}
    )
    former = EndpointStatus(role="Training", name=f"{name}-training", state="InService")

    assert (await backend.compute.retire_endpoint(other, former)).ready
    assert local_aws.calls(api="DeleteEndpoint", EndpointName=f"{name}-training") == []


async def test_a_runtime_that_goes_in_the_middle_of_a_change_takes_both_endpoints_with_it(
    backend: Backend, sagemaker: Any, name: str
) -> None:
    await served(backend, named_runtime(name))
    former = EndpointStatus(role="Training", name=f"{name}-training", state="InService")
    renamed = _remembering(named_runtime(name, endpointName=f"{name}-faster"), former)
    await served(backend, renamed)

    await eventually(lambda: backend.compute.delete_endpoints(renamed), lambda facts: facts.ready)

    assert sagemaker.list_endpoints(NameContains=name)["Endpoints"] == []
    assert derived_names(sagemaker, name) == (set(), set())


async def test_configurations_that_somebody_else_made_for_an_endpoint_of_the_name_stay(
    backend: Backend, sagemaker: Any, name: str
) -> None:
    """Another cluster's runtime takes over the endpoint's name while this one lets go of it."""
    going, coming = named_runtime(name), make_runtime("another")
    spec = going.spec
    taken_over = coming.model_copy(update={"spec": spec})
    theirs, _ = endpoint_plans(taken_over)
    sagemaker.create_model(ModelName=theirs.model_name, **theirs.model)
    sagemaker.create_endpoint_config(EndpointConfigName=theirs.config_name, **theirs.config)

    assert (await backend.compute.delete_endpoints(going)).ready

    assert derived_names(sagemaker, name) == ({theirs.config_name}, {theirs.model_name})
    assert (await backend.compute.delete_endpoints(taken_over)).ready
    assert derived_names(sagemaker, name) == (set(), set())


async def test_what_no_runtime_names_is_found_by_its_mark_and_goes(
    backend: Backend, sagemaker: Any, name: str
) -> None:
    """The runtime was renamed, and a crash made everybody forget the old endpoint."""
    await served(backend, named_runtime(name))
    renamed = named_runtime(name, endpointName=f"{name}-faster")
    compute, living = backend.compute, {renamed.metadata.uid}

    strays = [stray for stray in await compute.strays(renamed, living) if name in stray.name]

    assert {stray.runtime_uid for stray in strays} == living
    assert [stray.kind for stray in strays] == ["Endpoint", "EndpointConfig", "Model"]
    assert strays[0].name == f"{name}-training"
    assert all(0 <= stray.age_seconds < A_DAY for stray in strays)
    with pytest.raises(BackendError) as caught:
        await compute.delete_stray(named_runtime(name), strays[0])
    assert caught.value.reason == "InUse", "it was named again while the search went on"
    for stray in strays:
        await compute.delete_stray(renamed, stray)

    async def left() -> list[str]:
        return [stray.name for stray in await compute.strays(renamed, living) if name in stray.name]

    await eventually(left, lambda names: names == [])


async def test_what_carries_another_runtimes_mark_is_told_only_if_that_is_unknown_and_never_goes(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    await served(backend, named_runtime(name))
    asked, compute = make_runtime(), backend.compute

    known = await compute.strays(asked, {asked.metadata.uid, f"runtime-{name}"})
    unknown = [stray for stray in await compute.strays(asked, {asked.metadata.uid}) if name in stray.name]

    assert not any(name in stray.name for stray in known)
    assert {stray.runtime_uid for stray in unknown} == {f"runtime-{name}"}
    with pytest.raises(BackendError) as caught:
        await compute.delete_stray(asked, unknown[0])
    assert caught.value.reason == "NotOwned"
    assert local_aws.calls(api="DeleteEndpoint", EndpointName=f"{name}-training") == []


async def test_observing_writes_nothing(backend: Backend, local_aws: LocalAws, name: str) -> None:
    runtime = observing(named_runtime(name))
    facts = await backend.compute.ensure_endpoints(runtime)
    assert (facts.ready, facts.reason) == (False, "EndpointNotFound")
    assert (await backend.compute.delete_endpoints(runtime)).ready
    for api in ("CreateEndpoint", "UpdateEndpoint", "DeleteEndpoint"):
        assert local_aws.calls(api=api, EndpointName=f"{name}-training") == []


async def test_observed_endpoints_that_serve_are_ready(backend: Backend, name: str) -> None:
    await served(backend, named_runtime(name))
    facts = await backend.compute.ensure_endpoints(observing(named_runtime(name)))
    assert facts.ready
    assert [endpoint.instances for endpoint in facts.endpoints] == [1, 1]
