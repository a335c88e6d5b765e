"""What the API server takes and refuses of an AvatarModel, and in which words."""

from typing import Any

import pytest

from builders.api_objects import ApiObjects, Refused
from builders.manifests import Changes, covers, model_manifest

PREFIX = "name an S3 prefix, with a slash at the end: s3://bucket/photos/ann/"
OBJECTS = [{"uri": f"s3://photos/ann/{index}.jpg"} for index in range(101)]


def _photos(**photos: Any) -> Changes:
    return {"photos": {"s3Prefix": None, **photos}}


ACCEPTED: dict[str, Changes] = {
    "photos by prefix": {"photos": {"s3Prefix": "s3://photos/ann/"}},
    "photos by object": _photos(objects=OBJECTS[:10]),
    "photos by object and version": _photos(objects=[{"uri": "s3://photos/1.jpg", "versionId": "v1"}]),
    "a whole bucket": {"photos": {"s3Prefix": "s3://photos/"}},
    "a hundred photos": _photos(objects=OBJECTS[:100]),
    "another subject": {"subject": {"classNoun": "old man", "token": "zwx"}},
    "every setting at its least": {
        "training": {
            "method": "LoRA",
            "steps": 1,
            "batchSize": 1,
            "learningRate": "0.00000001",
            "rank": 1,
            "resolution": 64,
            "textEncoder": "Freeze",
            "priorPreservation": {"weight": "0", "numClassImages": 0},
            "seed": 0,
        }
    },
    "every setting at its most": {
        "training": {
            "method": "LoRA",
            "steps": 20000,
            "batchSize": 64,
            "learningRate": "1",
            "rank": 256,
            "resolution": 2048,
            "textEncoder": "Train",
            "priorPreservation": {"weight": "100", "numClassImages": 1000},
            "seed": 4294967295,
        }
    },
    "the shortest times": {
        "queueDeadlineSeconds": 60,
        "activeDeadlineSeconds": 60,
        "retention": {"expireAfterSeconds": 60},
    },
    "the longest times": {
        "queueDeadlineSeconds": 604800,
        "activeDeadlineSeconds": 86400,
        "retention": {"expireAfterSeconds": 315360000},
    },
    "what is made stays": {"deletionPolicy": "Retain"},
    "a late revision": {"revision": 1000000},
}

REFUSED: dict[str, tuple[Changes, str]] = {
    "no runtime": ({"runtimeRef": None}, "spec.runtimeRef: Required value"),
    "a runtime without a name": ({"runtimeRef": {"name": ""}}, "spec.runtimeRef.name"),
    "a runtime name in capitals": (
        {"runtimeRef": {"name": "Standard"}},
        'spec.runtimeRef.name: Invalid value: "string": a name is at most 63 lowercase letters',
    ),
    "no photos": ({"photos": None}, "spec.photos: Required value"),
    "neither prefix nor objects": (_photos(), "set exactly one of s3Prefix, objects"),
    "both prefix and objects": (
        {"photos": {"objects": OBJECTS[:10]}},
        "set exactly one of s3Prefix, objects",
    ),
    "a prefix without a slash at its end": (
        {"photos": {"s3Prefix": "s3://photos/ann"}},
        f'spec.photos.s3Prefix: Invalid value: "string": {PREFIX}',
    ),
    "a prefix that is not in S3": ({"photos": {"s3Prefix": "https://photos/"}}, PREFIX),
    "a prefix that is too long": (
        {"photos": {"s3Prefix": f"s3://photos/{'x' * 1024}/"}},
        "may not be more than 1024",
    ),
    "an empty list of photos": (_photos(objects=[]), "spec.photos.objects"),
    "too many photos": (_photos(objects=OBJECTS), "must have at most 100 items"),
    "the same photo twice": (_photos(objects=[OBJECTS[0], OBJECTS[0]]), "Duplicate value"),
    "a photo that is a prefix": (
        _photos(objects=[{"uri": "s3://photos/ann/"}]),
        'spec.photos.objects[0].uri: Invalid value: "string": name one S3 object, without a slash at the end',
    ),
    "a photo without a location": (
        _photos(objects=[{"versionId": "1"}]),
        "spec.photos.objects[0].uri: Required",
    ),
    "a class noun in capitals": (
        {"subject": {"classNoun": "Person"}},
        "classNoun is lowercase letters and spaces: person, old man",
    ),
    "a token of one letter": (
        {"subject": {"token": "s"}},
        "token is 2 to 16 lowercase letters and digits: sks",
    ),
    "an unknown method": ({"training": {"method": "Full"}}, 'supported values: "LoRA"'),
    "no step": ({"training": {"steps": 0}}, "should be greater than or equal to 1"),
    "too many steps": ({"training": {"steps": 20001}}, "should be less than or equal to 20000"),
    "an empty batch": ({"training": {"batchSize": 0}}, "spec.training.batchSize"),
    "too big a batch": ({"training": {"batchSize": 65}}, "spec.training.batchSize"),
    "a learning rate of nothing": (
        {"training": {"learningRate": "0.0"}},
        "learningRate must be above 0 and at most 1",
    ),
    "a learning rate above one": (
        {"training": {"learningRate": "1.01"}},
        "learningRate must be above 0 and at most 1",
    ),
    "a learning rate in scientific notation": (
        {"training": {"learningRate": "1e-4"}},
        'learningRate is a decimal number in quotes, such as "0.0001"',
    ),
    "a learning rate in words": (
        {"training": {"learningRate": "fast"}},
        'learningRate is a decimal number in quotes, such as "0.0001"',
    ),
    "a learning rate that is a number": (
        {"training": {"learningRate": 0.1}},
        "spec.training.learningRate in body must be of type string",
    ),
    "no rank": ({"training": {"rank": 0}}, "spec.training.rank"),
    "too high a rank": ({"training": {"rank": 257}}, "spec.training.rank"),
    "too low a resolution": ({"training": {"resolution": 56}}, "should be greater than or equal to 64"),
    "too high a resolution": ({"training": {"resolution": 2056}}, "should be less than or equal to 2048"),
    "a resolution that the VAE cannot divide": (
        {"training": {"resolution": 500}},
        "should be a multiple of 8",
    ),
    "an unknown wish for the text encoder": (
        {"training": {"textEncoder": "Maybe"}},
        'supported values: "Train", "Freeze"',
    ),
    "too much prior preservation": (
        {"training": {"priorPreservation": {"weight": "100.1"}}},
        "weight must be at most 100",
    ),
    "a weight with a comma": (
        {"training": {"priorPreservation": {"weight": "0,5"}}},
        'weight is a decimal number in quotes, such as "1.0"',
    ),
    "too many class images": (
        {"training": {"priorPreservation": {"numClassImages": 1001}}},
        "should be less than or equal to 1000",
    ),
    "a seed beyond 32 bits": ({"training": {"seed": 4294967296}}, "spec.training.seed"),
    "a negative seed": ({"training": {"seed": -1}}, "spec.training.seed"),
    "revision zero": ({"revision": 0}, "spec.revision"),
    "a revision out of reach": ({"revision": 1000001}, "spec.revision"),
    "too short a deadline for the queue": ({"queueDeadlineSeconds": 59}, "spec.queueDeadlineSeconds"),
    "too long a deadline for the queue": ({"queueDeadlineSeconds": 604801}, "spec.queueDeadlineSeconds"),
    "too short a deadline": ({"activeDeadlineSeconds": 59}, "spec.activeDeadlineSeconds"),
    "too long a deadline": ({"activeDeadlineSeconds": 86401}, "spec.activeDeadlineSeconds"),
    "too short a retention": ({"retention": {"expireAfterSeconds": 59}}, "spec.retention.expireAfterSeconds"),
    "too long a retention": (
        {"retention": {"expireAfterSeconds": 315360001}},
        "spec.retention.expireAfterSeconds",
    ),
    "a retention that does not say how long": ({"retention": {}}, "expireAfterSeconds: Required value"),
    "an unknown deletion policy": ({"deletionPolicy": "Keep"}, 'supported values: "Delete", "Retain"'),
}


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_model_is_accepted_with(api: ApiObjects, tenant: str, spec: Changes) -> None:
    manifest = model_manifest(namespace=tenant, spec=spec)

    assert covers(api.create(manifest, dry_run=True)["spec"], manifest["spec"])


@pytest.mark.parametrize(("spec", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_a_model_is_refused_with(api: ApiObjects, tenant: str, spec: Changes, why: str) -> None:
    with pytest.raises(Refused) as refused:
        api.create(model_manifest(namespace=tenant, spec=spec), dry_run=True)

    assert why in str(refused.value)


def test_a_model_without_a_spec_is_refused(api: ApiObjects, tenant: str) -> None:
    manifest = model_manifest(namespace=tenant)
    del manifest["spec"]

    with pytest.raises(Refused, match="spec: Required value"):
        api.create(manifest, dry_run=True)


def test_a_model_gets_the_defaults_of_what_it_does_not_say(api: ApiObjects, tenant: str) -> None:
    spec = api.create(model_manifest(namespace=tenant), dry_run=True)["spec"]

    assert spec == {
        "runtimeRef": {"name": "standard"},
        "photos": {"s3Prefix": f"s3://photos/{tenant}/ann/"},
        "subject": {"classNoun": "person", "token": "sks"},
        "training": {"priorPreservation": {}},
        "revision": 1,
        "suspend": False,
        "deletionPolicy": "Delete",
    }


def test_half_a_subject_is_completed(api: ApiObjects, tenant: str) -> None:
    spec = api.create(model_manifest(namespace=tenant, spec={"subject": {"token": "zwx"}}), dry_run=True)[
        "spec"
    ]

    assert spec["subject"] == {"classNoun": "person", "token": "zwx"}


def test_words_that_are_no_number_are_said_to_be_none_and_nothing_else(api: ApiObjects, tenant: str) -> None:
    manifest = model_manifest(namespace=tenant, spec={"training": {"learningRate": "fast"}})

    with pytest.raises(Refused) as refused:
        api.create(manifest, dry_run=True)

    assert str(refused.value).endswith(
        'spec.training.learningRate: Invalid value: "string":'
        ' learningRate is a decimal number in quotes, such as "0.0001"'
    )
