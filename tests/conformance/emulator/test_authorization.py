"""IAM switched on: what callers may do is what their policies say, down to the model that they invoke."""

from __future__ import annotations

import io
import json
import tarfile
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from conformance.emulator.guarded_aws import ACCOUNT, GuardedAws, Key, allow, deny, refusal
from sagemaker_local.testing import REGION, LocalAws


@pytest.fixture(scope="module")
def guarded(container: list[str]) -> Iterator[GuardedAws]:
    with LocalAws(images={"trivial": container}) as server:
        yield GuardedAws(server)


@pytest.fixture(scope="module")
def endpoint(guarded: GuardedAws, eventually: Callable[..., Any]) -> str:
    """A multi-model endpoint of the administrator's with one model of each tenant."""
    s3, sagemaker = guarded.admin.client("s3"), guarded.admin.client("sagemaker")
    s3.create_bucket(Bucket="models")
    for tenant in ("tenant-a", "tenant-b"):
        s3.put_object(Bucket="models", Key=f"prefix/{tenant}/x.tar.gz", Body=archive(tenant))
    sagemaker.create_model(
        ModelName="shared",
        PrimaryContainer={"Image": "trivial", "Mode": "MultiModel", "ModelDataUrl": "s3://models/prefix/"},
        ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/execution",
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "shared",
        "InstanceType": "ml.g5.xlarge",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="shared", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="avatars", EndpointConfigName="shared")
    described = lambda: sagemaker.describe_endpoint(EndpointName="avatars")  # noqa: E731
    eventually(described, lambda seen: seen["EndpointStatus"] == "InService")
    return "avatars"


def archive(text: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("model.txt")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def invoke(key: Key, endpoint: str, model: str | None = None) -> bytes:
    target = {"TargetModel": model} if model else {}
    answer = key.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=b"?", **target)
    body: bytes = answer["Body"].read()
    return body


def signed_headers(key: Key, url: str) -> dict[str, str]:
    """The headers of a properly signed invocation of tenant-a's model with the body `?`."""
    request = AWSRequest("POST", url, data=b"?")
    request.headers["X-Amzn-SageMaker-Target-Model"] = "tenant-a/x.tar.gz"
    SigV4Auth(Credentials(key.id, key.secret), "sagemaker", REGION).add_auth(request)
    return dict(request.headers.items())


TENANT_A = {"StringLike": {"sagemaker:TargetModel": "tenant-a/*"}}


def test_a_tenant_reaches_its_own_models_only(guarded: GuardedAws, endpoint: str) -> None:
    tenant = guarded.user(allow("sagemaker:InvokeEndpoint", Condition=TENANT_A))
    assert b'"text": "tenant-a"' in invoke(tenant, endpoint, "tenant-a/x.tar.gz")
    for model in ("tenant-b/x.tar.gz", "tenant-b/tenant-a/x.tar.gz", None):
        status, code, _ = refusal(lambda model=model: invoke(tenant, endpoint, model))  # type: ignore[misc]
        assert (status, code) == (403, "AccessDeniedException")


def test_a_refusal_is_in_awss_words(guarded: GuardedAws, endpoint: str) -> None:
    nobody = guarded.user(name="nobody")
    _, _, message = refusal(lambda: invoke(nobody, endpoint, "tenant-a/x.tar.gz"))
    assert message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: sagemaker:InvokeEndpoint on resource: "
        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/avatars because no identity-based policy allows the "
        "sagemaker:InvokeEndpoint action"
    )


def test_a_deny_with_a_negated_condition_keeps_tenants_apart(guarded: GuardedAws, endpoint: str) -> None:
    elsewhere = {"StringNotLike": {"sagemaker:TargetModel": "tenant-a/*"}}
    tenant = guarded.user(allow("sagemaker:*"), deny("sagemaker:InvokeEndpoint", Condition=elsewhere))
    assert b"tenant-a" in invoke(tenant, endpoint, "tenant-a/x.tar.gz")
    for model in ("tenant-b/x.tar.gz", None):
        _, _, message = refusal(lambda model=model: invoke(tenant, endpoint, model))  # type: ignore[misc]
        assert message.endswith("with an explicit deny in an identity-based policy")


def test_policies_of_groups_and_managed_policies_count(guarded: GuardedAws, endpoint: str) -> None:
    name = f"member-{uuid.uuid4().hex[:8]}"
    member = guarded.user(name=name)
    document = {"Version": "2012-10-17", "Statement": [allow("sagemaker:Invoke*", Condition=TENANT_A)]}
    managed = guarded.iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    guarded.iam.create_group(GroupName=name)
    guarded.iam.attach_group_policy(GroupName=name, PolicyArn=managed)
    refusal(lambda: invoke(member, endpoint, "tenant-a/x.tar.gz"))
    guarded.iam.add_user_to_group(GroupName=name, UserName=name)
    assert b"tenant-a" in invoke(member, endpoint, "tenant-a/x.tar.gz")


def test_a_roles_session_has_the_roles_policies_and_no_more_than_its_own(
    guarded: GuardedAws, endpoint: str
) -> None:
    statement = allow("sagemaker:InvokeEndpoint", Condition=TENANT_A)
    session = guarded.role_session(statement)
    assert b"tenant-a" in invoke(session, endpoint, "tenant-a/x.tar.gz")
    _, _, message = refusal(lambda: invoke(session, endpoint, "tenant-b/x.tar.gz"))
    assert message.startswith(f"User: arn:aws:sts::{ACCOUNT}:assumed-role/role-")
    limited = guarded.role_session(statement, policy=[allow("s3:*")])
    _, _, message = refusal(lambda: invoke(limited, endpoint, "tenant-a/x.tar.gz"))
    assert message.endswith("because no session policy allows the sagemaker:InvokeEndpoint action")


def test_an_unknown_key_is_not_recognized(guarded: GuardedAws, endpoint: str) -> None:
    stranger = Key(guarded.server, "AKIAUNKNOWN", "secret")
    status, code, message = refusal(lambda: invoke(stranger, endpoint, "tenant-a/x.tar.gz"))
    assert (status, code) == (403, "UnrecognizedClientException")
    assert message == "The security token included in the request is invalid."


def test_a_wrong_secret_is_an_invalid_signature(guarded: GuardedAws, endpoint: str) -> None:
    forger = Key(guarded.server, guarded.admin.id, "not the secret")
    for call in (
        lambda: invoke(forger, endpoint, "tenant-a/x.tar.gz"),
        lambda: forger.client("sagemaker").describe_endpoint(EndpointName=endpoint),
    ):
        status, code, _ = refusal(call)
        assert (status, code) == (403, "InvalidSignatureException")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"headers": {"X-Amzn-SageMaker-Target-Model": "tenant-b/x.tar.gz"}}, "InvalidSignatureException"),
        ({"content": b"another body"}, "InvalidSignatureException"),
        ({"headers": {"Authorization": "Basic dGVzdA=="}}, "IncompleteSignatureException"),
        ({"without": "Authorization"}, "MissingAuthenticationTokenException"),
    ],
)
def test_a_request_that_was_tampered_with_is_refused(
    guarded: GuardedAws, endpoint: str, changed: dict[str, Any], code: str
) -> None:
    url = f"{guarded.server.endpoint_url}/endpoints/{endpoint}/invocations"
    headers = {**signed_headers(guarded.admin, url), **changed.get("headers", {})}
    headers.pop(changed.get("without"), None)
    answer = httpx.post(
        url, content=changed.get("content", b"?"), headers=headers, trust_env=False, timeout=60
    )
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (403, code)


@pytest.mark.parametrize(
    ("date", "message"),
    [("20200101T000000Z", "Signature expired: "), ("20990101T000000Z", "Signature not yet current: ")],
)
def test_a_signature_is_good_for_five_minutes(
    guarded: GuardedAws, endpoint: str, date: str, message: str
) -> None:
    url = f"{guarded.server.endpoint_url}/endpoints/{endpoint}/invocations"
    headers = {**signed_headers(guarded.admin, url), "X-Amz-Date": date}
    answer = httpx.post(url, content=b"?", headers=headers, trust_env=False, timeout=60)
    assert answer.status_code == 403
    assert answer.json()["message"].startswith(f"{message}{date}")


def test_every_operation_of_the_control_plane_is_authorized_on_its_resources(
    guarded: GuardedAws, endpoint: str
) -> None:
    ours = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{endpoint}"
    reader = guarded.user(allow("sagemaker:Describe*", ours))
    sagemaker = reader.client("sagemaker")
    assert sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"
    refused = {
        "DescribeModel": lambda: sagemaker.describe_model(ModelName="shared"),
        "UpdateEndpoint": lambda: sagemaker.update_endpoint(
            EndpointName=endpoint, EndpointConfigName="shared"
        ),
        "DeleteEndpoint": lambda: sagemaker.delete_endpoint(EndpointName=endpoint),
        "ListEndpoints": lambda: sagemaker.list_endpoints(),
    }
    for action, call in refused.items():
        status, code, message = refusal(call)
        assert (status, code) == (403, "AccessDeniedException")
        assert f"is not authorized to perform: sagemaker:{action} on resource: " in message


def test_a_model_needs_the_right_to_pass_its_role(guarded: GuardedAws, endpoint: str) -> None:
    maker = guarded.user(allow("sagemaker:CreateModel"))
    _, _, message = refusal(
        lambda: maker.client("sagemaker").create_model(
            ModelName="m",
            PrimaryContainer={"Image": "trivial"},
            ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/execution",
        )
    )
    assert f"iam:PassRole on resource: arn:aws:iam::{ACCOUNT}:role/execution" in message


def test_scaling_activities_are_authorized_too(guarded: GuardedAws, endpoint: str) -> None:
    request = {"ServiceNamespace": "sagemaker"}
    nobody, viewer = guarded.user(), guarded.user(allow("application-autoscaling:Describe*"))
    _, code, _ = refusal(
        lambda: nobody.client("application-autoscaling").describe_scaling_activities(**request)
    )
    assert code == "AccessDeniedException"
    viewed = viewer.client("application-autoscaling").describe_scaling_activities(**request)
    assert viewed["ScalingActivities"] == []


def test_asynchronous_invocations_are_authorized_and_carried_out_as_the_endpoints_creator(
    guarded: GuardedAws, endpoint: str, eventually: Callable[..., Any]
) -> None:
    admin_s3, sagemaker = guarded.admin.client("s3"), guarded.admin.client("sagemaker")
    admin_s3.create_bucket(Bucket="queue")
    admin_s3.put_object(Bucket="queue", Key="in", Body=b"hello")
    sagemaker.create_model(
        ModelName="queued",
        PrimaryContainer={"Image": "trivial"},
        ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/execution",
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "queued",
        "InstanceType": "ml.g5.xlarge",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName="queued",
        ProductionVariants=[variant],
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://queue/out"}},
    )
    sagemaker.create_endpoint(EndpointName="queued", EndpointConfigName="queued")
    eventually(lambda: sagemaker.describe_endpoint(EndpointName="queued")["EndpointStatus"] == "InService")
    request = {"EndpointName": "queued", "InputLocation": "s3://queue/in"}
    synchronous = guarded.user(allow("sagemaker:InvokeEndpoint"))
    _, code, _ = refusal(lambda: synchronous.client("sagemaker-runtime").invoke_endpoint_async(**request))
    assert code == "AccessDeniedException"
    asynchronous = guarded.user(allow("sagemaker:InvokeEndpointAsync"))
    answer = asynchronous.client("sagemaker-runtime").invoke_endpoint_async(**request)

    def output() -> bytes | None:
        key = answer["OutputLocation"].removeprefix("s3://queue/")
        try:
            return bytes(admin_s3.get_object(Bucket="queue", Key=key)["Body"].read())
        except admin_s3.exceptions.NoSuchKey:
            return None

    assert eventually(output) == b"hello"
