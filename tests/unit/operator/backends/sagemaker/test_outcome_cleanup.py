"""What SageMaker itself stored of a model's trainings goes with the model, wherever the endpoint was told to put it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus, FormerStorage, ModelStorage
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.training_status import SageMakerAttempt, TrainingStatus
from avatar_operator.backends.selection import Backend
from builders.backend_objects import BUCKET, eventually, make_model, make_runtime


@pytest.fixture
def keys(s3: Any) -> Callable[[AvatarModel], set[str]]:
    """The keys in the whole bucket that name a model's uid."""

    def listed(model: AvatarModel) -> set[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key for key in found if model.metadata.uid in key}

    return listed


@pytest.fixture
async def endpoint(backend: Backend) -> AsyncIterator[str]:
    """A training endpoint of somebody else's, with paths of its own."""
    name = f"others-{uuid.uuid4().hex[:8]}"
    trivial = {"image": "trivial", "instanceType": "ml.m5.large"}
    theirs = make_runtime(
        name,
        training={"endpointName": f"{name}-training", **trivial},
        inference={"endpointName": f"{name}-inference", **trivial},
    )
    theirs = with_storage(theirs, requests=f"s3://{BUCKET}/theirs/")
    await eventually(lambda: backend.compute.ensure_endpoints(theirs), lambda facts: facts.ready)
    yield f"{name}-training"
    await eventually(lambda: backend.compute.delete_endpoints(theirs), lambda facts: facts.ready)


def with_storage(runtime: AvatarRuntime, **storage: str) -> AvatarRuntime:
    changed = runtime.spec.storage.model_copy(update=storage)
    return runtime.model_copy(update={"spec": runtime.spec.model_copy(update={"storage": changed})})


def with_status(model: AvatarModel, **status: Any) -> AvatarModel:
    return model.model_copy(update={"status": AvatarModelStatus(**status)})


def put(s3: Any, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")


async def test_outputs_and_failures_go_and_everything_else_stays(
    backend: Backend, s3: Any, keys: Callable[[AvatarModel], set[str]]
) -> None:
    model = make_model()
    own = f"team-a/{model.metadata.uid}"
    kept = {f"requests/{own}/r1-a1/claim.json", f"requests/output/{own}0/x/y.out"}
    put(s3, *kept, f"requests/output/{own}/x/y.out", f"requests/failure/{own}/x/z.out")
    report = await backend.compute.delete_outcomes(make_runtime(), model)
    assert report.left_behind == ()
    assert keys(model) == kept


async def test_they_go_from_where_the_model_recorded_them(
    backend: Backend, s3: Any, keys: Callable[[AvatarModel], set[str]]
) -> None:
    model = make_model()
    recorded = ModelStorage(
        runtime_name="tests",
        runtime_uid="the one before",
        requests=f"s3://{BUCKET}/before/requests/",
        artifacts=f"s3://{BUCKET}/before/artifacts/",
    )
    put(s3, f"before/requests/output/team-a/{model.metadata.uid}/x/y.out")
    await backend.compute.delete_outcomes(make_runtime(), with_status(model, storage=recorded))
    assert keys(model) == set()


async def test_everything_goes_from_where_the_model_lay_before_its_runtime_was_created_anew(
    backend: Backend, s3: Any, keys: Callable[[AvatarModel], set[str]]
) -> None:
    model = make_model()
    former = [
        FormerStorage(requests=f"s3://{BUCKET}/{age}/requests/", artifacts=f"s3://{BUCKET}/{age}/artifacts/")
        for age in ("old", "older")
    ]
    recorded = ModelStorage(
        runtime_name="tests",
        runtime_uid="runtime-tests",
        requests=f"s3://{BUCKET}/requests/",
        artifacts=f"s3://{BUCKET}/artifacts/",
        former=former,
    )
    own = f"team-a/{model.metadata.uid}"
    for prefix in ("", "old/", "older/"):
        put(s3, f"{prefix}requests/{own}/r1-a1/claim.json", f"{prefix}requests/output/{own}/x/y.out")
        put(s3, f"{prefix}requests/failure/{own}/x/z.out", f"{prefix}artifacts/{own}/r1-a1.tar.gz")
    moved = with_status(model, storage=recorded)
    await backend.storage.delete_model_data(make_runtime(), moved, artifacts=True)
    await backend.compute.delete_outcomes(make_runtime(), moved)
    assert keys(model) == set()


async def test_they_go_from_where_somebody_elses_endpoint_stored_them_that_was_asked_to_train(
    backend: Backend, s3: Any, keys: Callable[[AvatarModel], set[str]], endpoint: str
) -> None:
    runtime = make_runtime()
    spec = runtime.spec.model_copy(update={"management_policy": "Observe"})
    model = make_model()
    asked = TrainingStatus(revision=1, attempt=1, sagemaker=SageMakerAttempt(endpoint_name=endpoint))
    put(s3, f"theirs/output/team-a/{model.metadata.uid}/x/y.out")
    await backend.compute.delete_outcomes(
        runtime.model_copy(update={"spec": spec}), with_status(model, training=asked)
    )
    assert keys(model) == set()


async def test_they_go_from_where_the_attempt_recorded_one_though_the_endpoint_is_another_by_now(
    backend: Backend, s3: Any, keys: Callable[[AvatarModel], set[str]]
) -> None:
    model = make_model()
    key = f"another/output/team-a/{model.metadata.uid}/x/y.out"
    told = TrainingStatus(
        revision=1, attempt=1, sagemaker=SageMakerAttempt(output_location=f"s3://{BUCKET}/{key}")
    )
    put(s3, key)
    await backend.compute.delete_outcomes(make_runtime(), with_status(model, training=told))
    assert keys(model) == set()
