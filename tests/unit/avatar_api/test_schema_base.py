"""How values are spelled on the wire."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_api.meta import Condition
from avatar_api.schema_base import ApiModel, S3ObjectUri, S3PrefixUri, Timestamp, kubernetes_name


class _Moment(ApiModel):
    time: Timestamp


class _Places(ApiModel):
    prefix: S3PrefixUri = "s3://bucket/"
    object: S3ObjectUri = "s3://bucket/key"


@pytest.mark.parametrize(
    ("python", "wire"),
    [
        ("observed_generation", "observedGeneration"),
        ("s3_prefix", "s3Prefix"),
        ("queue_url", "queueURL"),
        ("status_topic_arn", "statusTopicARN"),
        ("execution_role_arn", "executionRoleARN"),
        ("log_url", "logURL"),
        ("runtime_uid", "runtimeUID"),
        ("uid", "uid"),
        ("sha256", "sha256"),
    ],
)
def test_names_are_spelled_as_kubernetes_does(python: str, wire: str) -> None:
    assert kubernetes_name(python) == wire


def test_a_value_never_changes() -> None:
    moment = _Moment(time=datetime(2026, 1, 1, tzinfo=UTC))

    with pytest.raises(ValidationError, match="frozen"):
        moment.time = datetime(2027, 1, 1, tzinfo=UTC)  # type: ignore[misc]


def test_what_is_absent_is_left_out_and_not_null() -> None:
    assert AvatarModelStatus().to_wire() == {"observedGeneration": 0, "conditions": []}


def test_a_field_that_is_not_known_is_ignored() -> None:
    newer = {
        "metadata": {"name": "ann", "generateName": "x"},
        "spec": {
            "runtimeRef": {"name": "standard"},
            "photos": {"s3Prefix": "s3://photos/"},
            "brandNew": True,
        },
    }

    assert AvatarModel.model_validate(newer).metadata.name == "ann"


def test_a_time_is_told_in_utc_to_the_second() -> None:
    east = timezone(timedelta(hours=2))
    moment = _Moment(time=datetime(2026, 11, 22, 14, 0, 0, 999999, tzinfo=east))

    assert moment.to_wire() == {"time": "2026-11-22T12:00:00Z"}


@pytest.mark.parametrize("time", ["2026-11-22T12:00:00", "2026-11-22"])
def test_a_time_that_does_not_say_where_is_refused(time: str) -> None:
    with pytest.raises(ValidationError, match="timezone"):
        _Moment.model_validate_json(json.dumps({"time": time}))


@pytest.mark.parametrize("time", ["9000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_that_nothing_can_be_counted_from_is_refused(time: str) -> None:
    with pytest.raises(ValidationError, match="9000"):
        _Moment.model_validate_json(json.dumps({"time": time}))


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
)
def test_a_time_comes_back_to_the_second(moment: datetime) -> None:
    back = _Moment.model_validate_json(json.dumps(_Moment(time=moment).to_wire()))

    assert back.time == moment.replace(microsecond=0)


@pytest.mark.parametrize("uri", ["s3://bucket/", "s3://bucket/a/", "s3://bucket/a/b/", "s3://my.bucket-1/x/"])
def test_a_prefix_ends_with_a_slash(uri: str) -> None:
    assert _Places(prefix=uri).prefix == uri


@pytest.mark.parametrize(
    "uri", ["", "s3://bucket", "s3://bucket/a", "s3:///a/", "s3://Bucket/a/", "http://bucket/"]
)
def test_what_is_no_prefix_is_refused(uri: str) -> None:
    with pytest.raises(ValidationError):
        _Places(prefix=uri)


@pytest.mark.parametrize("uri", ["", "s3://bucket/", "s3://bucket/a/", "s3://b/a", "bucket/a"])
def test_what_is_no_object_is_refused(uri: str) -> None:
    with pytest.raises(ValidationError):
        _Places(object=uri)


def test_a_condition_comes_back_as_it_was() -> None:
    condition = Condition(
        type="Ready",
        status="True",
        reason="Because",
        last_transition_time=datetime(2026, 1, 1, tzinfo=UTC),
        observed_generation=3,
    )

    assert Condition.model_validate(condition.to_wire()) == condition
