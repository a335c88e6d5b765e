"""Deletion deletes: own prefixes only, all versions, in batches, and says what stayed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.backends.base import BackendError
from avatar_operator.backends.sagemaker import SageMakerBackend
from avatar_operator.backends.sagemaker.cleanup import delete_below
from avatar_operator.backends.sagemaker.layout import picture_prefix
from avatar_operator.request_lifecycle.pictures import output_prefix
from backend_builders import BUCKET, REGION, make_model, make_request, make_runtime
from sagemaker_local.testing import LocalAws


@pytest.fixture
def keys(s3: Any) -> Callable[[str], set[str]]:
    def listed(prefix: str) -> set[str]:
        return {
            entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        }

    return listed


async def test_a_models_documents_go_and_its_artifacts_stay_if_told_so(
    backend: SageMakerBackend, s3: Any, keys: Callable[[str], set[str]]
) -> None:
    model = make_model()
    own = f"team-a/{model.metadata.uid}"
    gone = {
        f"requests/{own}/r1-a1/claim.json",
        f"requests/output/{own}/x/y.out",
        f"requests/failure/{own}/x/z.out",
    }
    kept = {f"artifacts/{own}/r1-a1.tar.gz"}
    for key in gone | kept:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    await backend.delete_model_data(make_runtime(), model, artifacts=False)
    assert keys(f"artifacts/{own}") == kept
    assert keys(f"requests/{own}") | keys(f"requests/output/{own}") | keys(f"requests/failure/{own}") == set()
    await backend.delete_model_data(make_runtime(), model, artifacts=True)
    assert keys(f"artifacts/{own}") == set()


async def test_a_neighbour_whose_uid_begins_alike_keeps_everything(
    backend: SageMakerBackend, s3: Any, keys: Callable[[str], set[str]]
) -> None:
    model = make_model()
    neighbour = f"artifacts/team-a/{model.metadata.uid}0/r1-a1.tar.gz"
    s3.put_object(Bucket=BUCKET, Key=neighbour, Body=b"x")
    await backend.delete_model_data(make_runtime(), model, artifacts=True)
    assert keys(neighbour) == {neighbour}


async def test_every_version_and_delete_marker_goes(clients: AwsClients, s3: Any) -> None:
    bucket = f"versions-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", b"second"):
        s3.put_object(Bucket=bucket, Key="own/a", Body=body)
    s3.delete_object(Bucket=bucket, Key="own/a")
    report = await delete_below(S3Objects(clients, REGION), [S3Location(bucket, "own/")])
    assert report.left_behind == ()
    s3.delete_bucket(Bucket=bucket)


async def test_more_objects_than_one_call_may_name_are_removed_in_batches(
    clients: AwsClients, s3: Any, local_aws: LocalAws, keys: Callable[[str], set[str]]
) -> None:
    prefix = f"many/{uuid.uuid4().hex}/"
    for number in range(1003):
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}{number}", Body=b"")
    await delete_below(S3Objects(clients, REGION), [S3Location(BUCKET, prefix)])
    assert keys(prefix) == set()


async def test_a_bucket_that_is_gone_holds_nothing_any_more(clients: AwsClients) -> None:
    report = await delete_below(S3Objects(clients, REGION), [S3Location("no-such-bucket", "own/")])
    assert report.left_behind == ()


async def test_what_may_not_be_removed_is_reported_and_the_rest_goes(
    clients: AwsClients, s3: Any, local_aws: LocalAws, keys: Callable[[str], set[str]]
) -> None:
    prefixes = [S3Location(BUCKET, f"denied/{uuid.uuid4().hex}/") for _ in range(2)]
    for prefix in prefixes:
        s3.put_object(Bucket=BUCKET, Key=f"{prefix.key}a", Body=b"x")
    local_aws.add_fault(kind="api", api="ListObjectVersions", error="AccessDenied", status=403)
    report = await delete_below(S3Objects(clients, REGION), prefixes)
    local_aws.clear_faults()
    assert len(report.left_behind) == 1
    assert prefixes[0].uri in report.left_behind[0]
    assert keys(prefixes[1].key) == set()


async def test_trouble_that_passes_is_raised(clients: AwsClients, local_aws: LocalAws) -> None:
    local_aws.add_fault(kind="api", api="ListObjectVersions", error="InternalError", status=501)
    with pytest.raises(BackendError) as caught:
        await delete_below(S3Objects(clients, REGION), [S3Location(BUCKET, "own/")])
    local_aws.clear_faults()
    assert caught.value.retryable


@pytest.mark.parametrize("output", [None, {"prefix": f"s3://{BUCKET}/albums/"}])
def test_pictures_are_deleted_exactly_where_they_are_drawn(output: dict[str, str] | None) -> None:
    runtime, request = make_runtime(), make_request(output=output)
    assert picture_prefix(runtime, request).uri == output_prefix(runtime, request)
