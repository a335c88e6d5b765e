"""What the API server takes and refuses of an AvatarRuntime, and in which words."""

from typing import Any

import pytest

from builders.api_objects import ApiObjects, Refused
from builders.manifests import SIMULATED, Changes, covers, runtime_manifest

MANAGE_NEEDS = (
    "managementPolicy Manage needs spec.backend.sagemaker.executionRoleARN, or one of each endpoint,"
    " and an image for training and for inference"
)


def _sagemaker(**changes: Any) -> Changes:
    return {"backend": {"sagemaker": changes}}


def _selector(**changes: Any) -> Changes:
    return {"tenancy": {"namespaceSelector": changes}}


def _allowed(**changes: Any) -> Changes:
    return {"storage": {"allowed": changes}}


ACCEPTED: dict[str, Changes] = {
    "endpoints of its own": {},
    "endpoints that somebody else owns": {
        "managementPolicy": "Observe",
        **_sagemaker(executionRoleARN=None, training={"image": None}, inference={"image": None}),
    },
    "a simulated backend": {"backend": SIMULATED},
    "a simulated backend that fails": {
        "backend": {"sagemaker": None, "simulated": {"trainingSeconds": 86400, "failurePercent": 100}}
    },
    "one namespace": {"tenancy": {"allowedNamespaces": ["team-a"]}},
    "namespaces by label": {
        "tenancy": {
            "allowedNamespaces": None,
            "namespaceSelector": {
                "matchLabels": {"example.com/team": "a"},
                "matchExpressions": [
                    {"key": "stage", "operator": "In", "values": ["live", "test"]},
                    {"key": "closed", "operator": "DoesNotExist"},
                ],
            },
        }
    },
    "every namespace by an empty selector": {"tenancy": {"allowedNamespaces": None, "namespaceSelector": {}}},
    "namespaces by name and by label": {"tenancy": {"namespaceSelector": {"matchLabels": {"team": ""}}}},
    "a status topic": {"notifications": {"statusTopicARN": "arn:aws:sns:eu-central-1:123456789012:status"}},
    "a region of the Chinese partition": _sagemaker(region="cn-north-1"),
    "a region of GovCloud": _sagemaker(region="us-gov-west-1"),
    "a role of the Chinese partition": _sagemaker(
        executionRoleARN="arn:aws-cn:iam::123456789012:role/avatars"
    ),
    "a role of each endpoint, and none of both": _sagemaker(
        executionRoleARN=None,
        training={"executionRoleARN": "arn:aws:iam::123456789012:role/avatars-training"},
        inference={"executionRoleARN": "arn:aws:iam::123456789012:role/avatars-inference"},
    ),
    "a queue on this machine": _sagemaker(notifications={"queueURL": "http://127.0.0.1:4566/1/avatars"}),
    "exactly one number of photos": {"limits": {"photos": {"minCount": 12, "maxCount": 12}}},
    "no outputs beside the default": _allowed(outputs=None),
    "defaults for training": {"defaults": {"training": {"steps": 400, "learningRate": "0.0002"}}},
    "trainings that scale to nothing": _sagemaker(training={"scaling": {"maxInstances": 1}}),
    "drawing that scales": _sagemaker(inference={"scaling": {"minInstances": 2, "maxInstances": 100}}),
    "a price list": {
        "prices": {"currency": "EUR", "perHour": [{"instanceType": "ml.g5.xlarge", "amount": "1.408"}]}
    },
    "orphans that are removed": {"garbageCollection": {"orphans": "Delete", "gracePeriodSeconds": 1}},
    "no quotas": {"quotas": {}},
    "a quota of trainings": {"quotas": {"maxRunningTrainings": 1}},
    "a quota of as many pictures as one request may have": {"quotas": {"maxWaitingPictures": 64}},
    "a small quota of pictures for small requests": {
        "quotas": {"maxWaitingPictures": 8},
        "limits": {"inference": {"maxPictures": 8}},
    },
    "many instances": _sagemaker(training={"instanceCount": 100}, inference={"instanceCount": 100}),
}

REFUSED: dict[str, tuple[Changes, str]] = {
    "no backend": ({"backend": None}, "spec.backend: Required value"),
    "an empty backend": ({"backend": {"sagemaker": None}}, "set exactly one of sagemaker, simulated"),
    "two backends": ({"backend": {"simulated": {}}}, "set exactly one of sagemaker, simulated"),
    "Manage without a role": (_sagemaker(executionRoleARN=None), MANAGE_NEEDS),
    "Manage with a role of one endpoint only": (
        _sagemaker(
            executionRoleARN=None,
            training={"executionRoleARN": "arn:aws:iam::123456789012:role/avatars-training"},
        ),
        MANAGE_NEEDS,
    ),
    "Manage without an image for training": (_sagemaker(training={"image": None}), MANAGE_NEEDS),
    "Manage without an image for inference": (_sagemaker(inference={"image": None}), MANAGE_NEEDS),
    "an unknown policy": ({"managementPolicy": "Ignore"}, 'supported values: "Manage", "Observe"'),
    "no region": (_sagemaker(region=None), "spec.backend.sagemaker.region: Required value"),
    "a region that is none": (_sagemaker(region="Frankfurt"), "region is the code of an AWS region"),
    "a role that is no ARN": (
        _sagemaker(executionRoleARN="avatars"),
        'executionRoleARN: Invalid value: "string": an ARN begins with arn:aws:',
    ),
    "no training endpoint": (_sagemaker(training=None), "spec.backend.sagemaker.training: Required value"),
    "an endpoint name with dots": (
        _sagemaker(training={"endpointName": "a.b"}),
        "endpointName is letters, digits and dashes",
    ),
    "too long an endpoint name": (_sagemaker(training={"endpointName": "x" * 51}), "may not be more than 50"),
    "an instance type of EC2": (
        _sagemaker(training={"instanceType": "g5.xlarge"}),
        "instanceType is one of SageMaker's, which begin with ml.: ml.g5.xlarge",
    ),
    "no instance": (_sagemaker(training={"instanceCount": 0}), "training.instanceCount"),
    "too many instances": (_sagemaker(inference={"instanceCount": 101}), "inference.instanceCount"),
    "a training longer than SageMaker allows": (
        _sagemaker(training={"invocationTimeoutSeconds": 3601}),
        "training.invocationTimeoutSeconds",
    ),
    "no notifications": (
        _sagemaker(notifications=None),
        "spec.backend.sagemaker.notifications: Required value",
    ),
    "a topic that is no ARN": (_sagemaker(notifications={"errorTopicARN": "errors"}), "errorTopicARN"),
    "a queue that is no URL": (
        _sagemaker(notifications={"queueURL": "avatars"}),
        "queueURL is the queue's URL: https://",
    ),
    "fewer instances at most than at least": (
        _sagemaker(training={"scaling": {"minInstances": 3, "maxInstances": 2}}),
        "minInstances must not be above maxInstances",
    ),
    "drawing that scales to nothing": (
        _sagemaker(inference={"scaling": {"minInstances": 0, "maxInstances": 2}}),
        "inference.scaling.minInstances in body should be greater than or equal to 1",
    ),
    "scaling that does not say how far": (
        _sagemaker(training={"scaling": {}}),
        "training.scaling.maxInstances: Required value",
    ),
    "a quota of no trainings": (
        {"quotas": {"maxRunningTrainings": 0}},
        "spec.quotas.maxRunningTrainings in body should be greater than or equal to 1",
    ),
    "a quota that a request as large as allowed would never fit in": (
        {"quotas": {"maxWaitingPictures": 63}},
        "quotas.maxWaitingPictures must not be below limits.inference.maxPictures, because a request of that size"
        " would wait for ever",
    ),
    "no base model": ({"baseModel": None}, "spec.baseModel: Required value"),
    "a base model without a digest": (
        {"baseModel": {"sha256": None}},
        "spec.baseModel.sha256: Required value",
    ),
    "a digest that is too short": ({"baseModel": {"sha256": "b" * 63}}, "spec.baseModel.sha256"),
    "a base model of a hub": ({"baseModel": {"source": "hub/sd-1.5"}}, "name an S3 prefix"),
    "a digest in capitals": (
        {"baseModel": {"sha256": "B" * 64}},
        "a SHA-256 digest is 64 hexadecimal digits in lower case",
    ),
    "no storage": ({"storage": None}, "spec.storage: Required value"),
    "storage without a slash at its end": (
        {"storage": {"artifacts": "s3://models/a"}},
        'spec.storage.artifacts: Invalid value: "string": name an S3 prefix, with a slash at the end',
    ),
    "no place for photos": (_allowed(photos=[]), "spec.storage.allowed.photos"),
    "photos from outside S3": (
        _allowed(photos=["/home/"]),
        'spec.storage.allowed.photos[0]: Invalid value: "string": name an S3 prefix, with a slash at the end',
    ),
    "the same place twice": (_allowed(photos=["s3://photos/", "s3://photos/"]), "Duplicate value"),
    "a place that ends in the middle of a name": (
        _allowed(photos=["s3://photos/{namespace}"]),
        "name an S3 prefix, with a slash at the end: s3://bucket/photos/{namespace}/",
    ),
    "too many places": (_allowed(outputs=[f"s3://b{n}/" for n in range(33)]), "must have at most 32 items"),
    "no tenancy": ({"tenancy": None}, "spec.tenancy: Required value"),
    "no namespace": ({"tenancy": {"allowedNamespaces": []}}, "spec.tenancy.allowedNamespaces"),
    "a pattern of namespaces": (
        {"tenancy": {"allowedNamespaces": ["team-*"]}},
        'name a namespace, or write "*" for all; namespaceSelector chooses by label',
    ),
    "nobody at all": (
        {"tenancy": {"allowedNamespaces": None}},
        "say who may use the runtime: set allowedNamespaces, namespaceSelector or both",
    ),
    "a label that is none": (
        _selector(matchLabels={"a team": "a"}),
        "a label's key is letters, digits, dashes, dots and underscores",
    ),
    "a label's value that is none": (
        _selector(matchLabels={"team": "a team"}),
        "a label's value is at most 63 letters, digits, dashes, dots and underscores",
    ),
    "an operator that wants values": (
        _selector(matchExpressions=[{"key": "team", "operator": "In"}]),
        "operator In and NotIn need values, Exists and DoesNotExist take none",
    ),
    "an operator that wants no values": (
        _selector(matchExpressions=[{"key": "team", "operator": "Exists", "values": ["a"]}]),
        "operator In and NotIn need values, Exists and DoesNotExist take none",
    ),
    "an unknown operator": (
        _selector(matchExpressions=[{"key": "team", "operator": "Like"}]),
        "Unsupported value",
    ),
    "a currency in words": ({"prices": {"currency": "euros"}}, "prices.currency"),
    "a currency in lower case": (
        {"prices": {"currency": "eur"}},
        "currency is three capital letters, as ISO 4217 has them: USD",
    ),
    "a price in words": (
        {"prices": {"perHour": [{"instanceType": "ml.g5.xlarge", "amount": "cheap"}]}},
        'amount is a decimal number in quotes, such as "1.408"',
    ),
    "two prices of one thing": (
        {"prices": {"perHour": [{"instanceType": "ml.g5.xlarge", "amount": "1"}] * 2}},
        "Duplicate value",
    ),
    "orphans that are sold": (
        {"garbageCollection": {"orphans": "Sell"}},
        'supported values: "Report", "Delete"',
    ),
    "a default guidance above fifty": (
        {"defaults": {"inference": {"guidance": "51"}}},
        "guidance must be at most 50",
    ),
    "the same namespace twice": ({"tenancy": {"allowedNamespaces": ["a", "a"]}}, "Duplicate value"),
    "fewer photos at most than at least": (
        {"limits": {"photos": {"minCount": 20}}},
        "minCount must not be above maxCount",
    ),
    "more photos than a model may name": (
        {"limits": {"photos": {"maxCount": 101}}},
        "limits.photos.maxCount",
    ),
    "photos of one byte": ({"limits": {"photos": {"maxBytes": 1}}}, "limits.photos.maxBytes"),
    "too many attempts": ({"limits": {"training": {"maxAttempts": 21}}}, "limits.training.maxAttempts"),
    "no attempt": ({"limits": {"training": {"maxAttempts": 0}}}, "limits.training.maxAttempts"),
    "too many pictures": ({"limits": {"inference": {"maxPictures": 65}}}, "limits.inference.maxPictures"),
    "an invocation that cannot end in time": (
        {"limits": {"inference": {"picturesPerInvocation": 17}}},
        "limits.inference.picturesPerInvocation",
    ),
    "a default learning rate above one": (
        {"defaults": {"training": {"learningRate": "2"}}},
        "learningRate must be above 0 and at most 1",
    ),
    "too much prior preservation by default": (
        {"defaults": {"training": {"priorPreservation": {"weight": "101"}}}},
        "weight must be at most 100",
    ),
    "a default width that the VAE cannot divide": (
        {"defaults": {"inference": {"width": 100}}},
        "should be a multiple of 8",
    ),
    "a status topic that is no ARN": (
        {"notifications": {"statusTopicARN": "status"}},
        "an ARN begins with arn:aws:",
    ),
    "more than every attempt failing": (
        {"backend": {"sagemaker": None, "simulated": {"failurePercent": 101}}},
        "spec.backend.simulated.failurePercent",
    ),
}


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_runtime_is_accepted_with(api: ApiObjects, spec: Changes) -> None:
    manifest = runtime_manifest(spec=spec)

    assert covers(api.create(manifest, dry_run=True)["spec"], manifest["spec"])


@pytest.mark.parametrize(("spec", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_a_runtime_is_refused_with(api: ApiObjects, spec: Changes, why: str) -> None:
    with pytest.raises(Refused) as refused:
        api.create(runtime_manifest(spec=spec), dry_run=True)

    assert why in str(refused.value)


def test_a_runtime_gets_every_default(api: ApiObjects) -> None:
    spec = api.create(runtime_manifest(), dry_run=True)["spec"]

    assert spec["managementPolicy"] == "Manage"
    assert spec["baseModel"]["revision"] == "main"
    assert spec["defaults"] == {
        "training": {"priorPreservation": {}},
        "inference": {"steps": 25, "guidance": "7.5", "width": 512, "height": 512, "scheduler": "DDIM"},
    }
    assert spec["limits"] == {
        "photos": {"minCount": 10, "maxCount": 15, "maxBytes": 20971520},
        "training": {
            "maxSteps": 2000,
            "maxBatchSize": 8,
            "maxRank": 64,
            "maxResolution": 1024,
            "maxClassImages": 200,
            "maxAttempts": 3,
            "backoffSeconds": 30,
            "queueDeadlineSeconds": 21600,
            "activeDeadlineSeconds": 7200,
        },
        "inference": {
            "maxPictures": 64,
            "maxSteps": 100,
            "maxPixels": 1048576,
            "picturesPerInvocation": 4,
            "queueDeadlineSeconds": 3600,
            "activeDeadlineSeconds": 3600,
        },
    }
    assert spec["garbageCollection"] == {"orphans": "Report", "gracePeriodSeconds": 86400}
    assert covers(
        spec["backend"]["sagemaker"]["training"],
        {
            "instanceType": "ml.g5.xlarge",
            "instanceCount": 1,
            "invocationTimeoutSeconds": 3600,
            "startupTimeoutSeconds": 600,
        },
    )


def test_half_of_the_limits_are_completed(api: ApiObjects) -> None:
    manifest = runtime_manifest(spec={"limits": {"photos": {"minCount": 3}}})

    limits = api.create(manifest, dry_run=True)["spec"]["limits"]

    assert limits["photos"] == {"minCount": 3, "maxCount": 15, "maxBytes": 20971520}
    assert limits["training"]["maxSteps"] == 2000


def test_scaling_gets_the_defaults_of_what_it_does_not_say(api: ApiObjects) -> None:
    scaling = {"scaling": {"maxInstances": 4}}
    manifest = runtime_manifest(spec=_sagemaker(training=scaling, inference=scaling))

    sagemaker = api.create(manifest, dry_run=True)["spec"]["backend"]["sagemaker"]

    assert sagemaker["training"]["scaling"] == {
        "minInstances": 0,
        "maxInstances": 4,
        "backlogPerInstance": 1,
        "scaleInCooldownSeconds": 300,
        "scaleOutCooldownSeconds": 60,
    }
    assert sagemaker["inference"]["scaling"] == {
        "minInstances": 1,
        "maxInstances": 4,
        "invocationsPerInstancePerMinute": 6,
        "scaleInCooldownSeconds": 300,
        "scaleOutCooldownSeconds": 60,
    }
