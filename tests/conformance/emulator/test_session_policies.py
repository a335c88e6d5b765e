"""A role's session may do what both its role and its session policy allow, to S3 as to SageMaker, and for as long as it lasts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.emulator.guarded_aws import ACCOUNT, GuardedAws, Key, allow, deny, refusal
from sagemaker_local.aws_clients import AwsClients, Scope, Secret
from sagemaker_local.testing import REGION, LocalAws

BUCKET = "models"
ARN = f"arn:aws:s3:::{BUCKET}"
OWN = f"{ARN}/mine/*"
DENIED = (403, "AccessDenied")


@pytest.fixture(scope="module")
def guarded() -> Iterator[GuardedAws]:
    with LocalAws() as server:
        guarded = GuardedAws(server)
        s3 = guarded.admin.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield guarded


@pytest.fixture
def stored(guarded: GuardedAws) -> dict[str, str]:
    """An object below mine/ and one below theirs/, with their versions."""
    s3 = guarded.admin.client("s3")
    return {
        key: s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())["VersionId"]
        for key in (f"mine/{uuid.uuid4().hex}", f"theirs/{uuid.uuid4().hex}")
    }


def _session(guarded: GuardedAws, *policy: dict[str, Any]) -> Any:
    """S3 for a session with this policy, of a role that may do anything to S3."""
    return guarded.role_session(allow("s3:*"), policy=policy).client("s3")


def _refused(call: Any, **parameters: Any) -> tuple[int, str]:
    return refusal(lambda: call(Bucket=BUCKET, **parameters))[:2]


def test_an_object_is_read_where_the_session_policy_allows_it_only(
    guarded: GuardedAws, stored: dict[str, str]
) -> None:
    mine, theirs = stored
    s3 = _session(guarded, allow("s3:GetObject", OWN))

    assert s3.get_object(Bucket=BUCKET, Key=mine)["Body"].read() == mine.encode()
    assert _refused(s3.get_object, Key=theirs) == DENIED


def test_a_head_is_refused_like_the_read_it_stands_for(guarded: GuardedAws, stored: dict[str, str]) -> None:
    mine, theirs = stored
    s3 = _session(guarded, allow("s3:GetObject", OWN))

    assert s3.head_object(Bucket=BUCKET, Key=mine)["ContentLength"] == len(mine)
    assert _refused(s3.head_object, Key=theirs) == (403, "403")


def test_a_version_is_read_by_its_own_right(guarded: GuardedAws, stored: dict[str, str]) -> None:
    mine, _ = stored
    latest = _session(guarded, allow("s3:GetObject", OWN))
    pinned = _session(guarded, allow("s3:GetObjectVersion", OWN))

    assert _refused(latest.get_object, Key=mine, VersionId=stored[mine]) == DENIED
    assert pinned.get_object(Bucket=BUCKET, Key=mine, VersionId=stored[mine])["ContentLength"] == len(mine)
    assert _refused(pinned.get_object, Key=mine) == DENIED


def test_an_object_is_written_where_the_session_policy_allows_it_only(guarded: GuardedAws) -> None:
    s3 = _session(guarded, allow("s3:PutObject", OWN))

    s3.put_object(Bucket=BUCKET, Key="mine/new", Body=b"1")
    assert _refused(s3.put_object, Key="theirs/new", Body=b"1") == DENIED


def test_a_copy_needs_the_right_to_read_what_is_copied(guarded: GuardedAws, stored: dict[str, str]) -> None:
    mine, theirs = stored
    s3 = _session(guarded, allow(["s3:GetObject", "s3:PutObject"], OWN))

    s3.copy_object(Bucket=BUCKET, Key="mine/copy", CopySource={"Bucket": BUCKET, "Key": mine})
    source = {"Bucket": BUCKET, "Key": theirs}
    assert _refused(s3.copy_object, Key="mine/stolen", CopySource=source) == DENIED


def test_an_upload_in_parts_is_a_write_from_its_first_call_to_its_last(guarded: GuardedAws) -> None:
    admin = guarded.admin.client("s3")
    s3 = _session(guarded, allow("s3:PutObject", OWN))
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="mine/parts")["UploadId"]
    part = s3.upload_part(Bucket=BUCKET, Key="mine/parts", UploadId=upload, PartNumber=1, Body=b"1")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=BUCKET, Key="mine/parts", UploadId=upload, MultipartUpload=parts)

    assert _refused(s3.create_multipart_upload, Key="theirs/parts") == DENIED
    foreign = {
        "Key": "theirs/parts",
        "UploadId": admin.create_multipart_upload(Bucket=BUCKET, Key="theirs/parts")["UploadId"],
    }
    assert _refused(s3.upload_part, PartNumber=1, Body=b"1", **foreign) == DENIED
    assert _refused(s3.complete_multipart_upload, MultipartUpload=parts, **foreign) == DENIED


def test_an_upload_is_aborted_by_a_right_of_its_own(guarded: GuardedAws) -> None:
    s3 = _session(guarded, allow("s3:PutObject", OWN))
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="mine/aborted")["UploadId"]

    assert _refused(s3.abort_multipart_upload, Key="mine/aborted", UploadId=upload) == DENIED
    ending = _session(guarded, allow("s3:AbortMultipartUpload", OWN))
    ending.abort_multipart_upload(Bucket=BUCKET, Key="mine/aborted", UploadId=upload)


def test_an_object_is_deleted_where_the_session_policy_allows_it_only(
    guarded: GuardedAws, stored: dict[str, str]
) -> None:
    mine, theirs = stored
    s3 = _session(guarded, allow("s3:DeleteObject", OWN))

    s3.delete_object(Bucket=BUCKET, Key=mine)
    assert _refused(s3.delete_object, Key=theirs) == DENIED
    assert _refused(s3.delete_object, Key=mine, VersionId=stored[mine]) == DENIED


def test_each_member_of_a_deletion_of_many_is_judged_by_itself(
    guarded: GuardedAws, stored: dict[str, str]
) -> None:
    mine, theirs = stored
    s3 = _session(guarded, allow("s3:DeleteObject", OWN))

    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": theirs}, {"Key": mine}]})

    assert [deleted["Key"] for deleted in answer["Deleted"]] == [mine]
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [(theirs, "AccessDenied")]
    assert guarded.admin.client("s3").head_object(Bucket=BUCKET, Key=theirs)["ContentLength"] == len(theirs)


def test_a_deletion_of_many_versions_needs_the_right_to_delete_versions(
    guarded: GuardedAws, stored: dict[str, str]
) -> None:
    mine, _ = stored
    named = {"Objects": [{"Key": mine, "VersionId": stored[mine]}]}
    latest = _session(guarded, allow("s3:DeleteObject", OWN))
    pinned = _session(guarded, allow("s3:DeleteObjectVersion", OWN))

    assert latest.delete_objects(Bucket=BUCKET, Delete=named)["Errors"][0]["Code"] == "AccessDenied"
    assert "Errors" not in pinned.delete_objects(Bucket=BUCKET, Delete=named)


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
def test_a_bucket_is_listed_below_the_prefix_of_the_condition_only(
    guarded: GuardedAws, stored: dict[str, str], operation: str
) -> None:
    below = {"StringLike": {"s3:prefix": "mine/*"}}
    listed = getattr(_session(guarded, allow("s3:ListBucket", ARN, Condition=below)), operation)

    keys = [each["Key"] for each in listed(Bucket=BUCKET, Prefix="mine/")["Contents"]]
    assert set(stored) & set(keys) == {next(iter(stored))}
    assert _refused(listed, Prefix="theirs/") == DENIED
    assert _refused(listed) == DENIED


def test_a_role_whose_own_policy_has_a_condition_lists_what_fulfils_it(guarded: GuardedAws) -> None:
    below = {"StringEquals": {"s3:prefix": "nowhere/"}}
    s3 = guarded.role_session(allow("s3:ListBucket", ARN, Condition=below)).client("s3")

    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="nowhere/")["KeyCount"] == 0
    assert _refused(s3.list_objects_v2, Prefix="mine/") == DENIED


def test_a_missing_object_is_told_to_those_only_who_may_list_it(guarded: GuardedAws) -> None:
    reads = allow("s3:GetObject")
    below = {"StringLike": {"s3:prefix": "mine/*"}}
    blind = _session(guarded, reads)
    seeing = _session(guarded, reads, allow("s3:ListBucket", ARN, Condition=below))

    assert _refused(blind.get_object, Key="mine/nothing") == DENIED
    assert _refused(seeing.get_object, Key="mine/nothing") == (404, "NoSuchKey")
    assert _refused(seeing.head_object, Key="theirs/nothing") == (403, "403")


def test_a_session_policy_gives_nothing_that_the_role_has_not(
    guarded: GuardedAws, stored: dict[str, str]
) -> None:
    mine, theirs = stored
    s3 = guarded.role_session(allow("s3:GetObject", OWN), policy=[allow("*")]).client("s3")

    assert s3.get_object(Bucket=BUCKET, Key=mine)["ContentLength"] == len(mine)
    assert _refused(s3.get_object, Key=theirs) == DENIED
    assert _refused(s3.put_object, Key=mine, Body=b"1") == DENIED


def test_a_session_policy_that_denies_wins(guarded: GuardedAws, stored: dict[str, str]) -> None:
    _, theirs = stored
    s3 = _session(guarded, allow("s3:*"), deny("s3:GetObject", f"{ARN}/theirs/*"))

    assert _refused(s3.get_object, Key=theirs) == DENIED


def test_a_session_without_a_policy_has_all_that_its_role_has(
    guarded: GuardedAws, stored: dict[str, str]
) -> None:
    mine, _ = stored
    s3 = _session(guarded)

    assert s3.get_object(Bucket=BUCKET, Key=mine)["ContentLength"] == len(mine)


def test_a_session_of_before_iam_was_on_with_a_policy_that_is_none_may_do_nothing(
    guarded: GuardedAws, stored: dict[str, str]
) -> None:
    role = guarded.role(allow("s3:*"))
    guarded.without_iam_for_one_call()
    s3 = guarded.admin.assume(role, Policy="not json").client("s3")

    assert _refused(s3.get_object, Key=next(iter(stored))) == DENIED


def test_a_session_policy_holds_for_every_operation_of_sagemaker(guarded: GuardedAws) -> None:
    narrowed = [allow("sagemaker:List*")]
    sagemaker = guarded.role_session(allow("sagemaker:*"), policy=narrowed).client("sagemaker")

    assert sagemaker.list_models()["Models"] == []
    _, code, message = refusal(lambda: sagemaker.describe_endpoint(EndpointName="any"))
    assert code == "AccessDeniedException"
    assert message.endswith("because no session policy allows the sagemaker:DescribeEndpoint action")


def test_a_session_policy_holds_for_services_that_moto_judges(guarded: GuardedAws) -> None:
    url = guarded.admin.client("sqs").create_queue(QueueName="progress")["QueueUrl"]
    sending = allow("sqs:SendMessage", "arn:aws:sqs:*:*:progress")
    sqs = guarded.role_session(allow("sqs:*"), policy=[sending]).client("sqs")

    sqs.send_message(QueueUrl=url, MessageBody="1")
    status, _, message = refusal(lambda: sqs.receive_message(QueueUrl=url))
    assert status == 403
    assert "sqs:ReceiveMessage" in message


def _expired(guarded: GuardedAws) -> Key:
    role = guarded.role(allow("*"))
    guarded.without_iam_for_one_call()
    return guarded.admin.assume(role, DurationSeconds=-1)


def test_s3_refuses_a_session_that_is_over(guarded: GuardedAws, stored: dict[str, str]) -> None:
    s3 = _expired(guarded).client("s3")

    refused = refusal(lambda: s3.get_object(Bucket=BUCKET, Key=next(iter(stored))))

    assert refused == (400, "ExpiredToken", "The provided token has expired.")


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sagemaker", "list_endpoints", "ExpiredTokenException"),
        ("sqs", "list_queues", "ExpiredTokenException"),
        ("sts", "get_caller_identity", "ExpiredToken"),
    ],
)
def test_every_service_refuses_a_session_that_is_over(
    guarded: GuardedAws, service: str, operation: str, code: str
) -> None:
    client = _expired(guarded).client(service)

    refused = refusal(getattr(client, operation))

    assert refused == (403, code, "The security token included in the request is expired")


def test_an_endpoints_own_calls_go_on_when_the_session_that_made_it_is_over(
    guarded: GuardedAws, stored: dict[str, str]
) -> None:
    mine, _ = stored
    over = _expired(guarded)
    secrets = lambda _: Secret(over.secret, over.token)  # noqa: E731
    platform = AwsClients(guarded.server.endpoint_url, secrets).client("s3", Scope(ACCOUNT, REGION, over.id))

    assert platform.get_object(Bucket=BUCKET, Key=mine)["Body"].read() == mine.encode()
