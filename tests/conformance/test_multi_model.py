"""Multi-model endpoints: load by traffic, evict by need, never mix models (reference 2.4)."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError


def ask(user: Any, endpoint: str, target: str, body: bytes = b"?") -> dict[str, Any]:
    answer = user.runtime.invoke_endpoint(EndpointName=endpoint, TargetModel=target, Body=body)
    told: dict[str, Any] = json.loads(answer["Body"].read())
    return told


def test_a_model_is_loaded_from_below_the_prefix_when_first_asked_for(user: Any) -> None:
    user.artifact("models/tenant-a/alice.tar.gz", model__txt="I am Alice")
    name = user.multi_model_endpoint()
    assert ask(user, name, "tenant-a/alice.tar.gz")["text"] == "I am Alice"


def test_models_added_later_need_no_update(user: Any) -> None:
    name = user.multi_model_endpoint()
    user.artifact("models/new.tar.gz", model__txt="new")
    assert ask(user, name, "new.tar.gz")["text"] == "new"


def test_a_loaded_model_is_not_loaded_again(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint()
    for _ in range(3):
        told = ask(user, name, "a.tar.gz")
    assert told["loads"] == {"a": 1}


def test_the_least_recently_used_model_gives_way_when_memory_is_full(user: Any) -> None:
    for letter in "abc":
        user.artifact(f"models/{letter}.tar.gz", model__txt=letter)
    name = user.multi_model_endpoint({"SLOTS": "2"})
    for letter in ("a", "b", "a", "c", "a"):
        told = ask(user, name, f"{letter}.tar.gz")
        assert told["text"] == letter
    assert told["loads"] == {"a": 1, "b": 1, "c": 1}
    assert ask(user, name, "b.tar.gz")["loads"] == {"a": 1, "b": 2, "c": 1}


def test_an_evicted_model_comes_back_from_disk_even_when_it_left_s3(user: Any) -> None:
    for letter in "ab":
        user.artifact(f"models/{letter}.tar.gz", model__txt=letter)
    name = user.multi_model_endpoint({"SLOTS": "1"})
    ask(user, name, "a.tar.gz")
    user.s3.delete_object(Bucket=user.bucket, Key="models/a.tar.gz")
    ask(user, name, "b.tar.gz")
    assert ask(user, name, "a.tar.gz")["text"] == "a"


def test_a_model_that_the_container_dropped_is_loaded_again(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint()
    ask(user, name, "a.tar.gz", b'{"forget": true}')
    assert ask(user, name, "a.tar.gz")["loads"] == {"a": 2}


def test_many_first_requests_share_one_load(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint({"LOAD_SECONDS": "1"})
    answers: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(user, name, "a.tar.gz"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["loads"] for answer in answers] == [{"a": 1}] * 8


def test_an_artifact_that_does_not_exist_is_a_validation_error(user: Any) -> None:
    name = user.multi_model_endpoint()
    with pytest.raises(ClientError) as refusal:
        ask(user, name, "nobody.tar.gz")
    assert refusal.value.response["Error"]["Code"] == "ValidationError"
    assert refusal.value.response["Error"]["Message"] == (
        f"Failed to download model data(bucket: {user.bucket}, key: models/nobody.tar.gz). Please ensure that there is an object "
        "located at the URL and that the role passed to CreateModel has permissions to download the model."
    )


def test_an_artifact_that_is_no_archive_is_a_validation_error(user: Any) -> None:
    user.s3.put_object(Bucket=user.bucket, Key="models/junk.tar.gz", Body=b"junk")
    name = user.multi_model_endpoint()
    with pytest.raises(ClientError, match=r"ValidationError.*Failed to extract model data archive"):
        ask(user, name, "junk.tar.gz")


def test_a_model_that_does_not_load_is_a_model_error(user: Any) -> None:
    user.artifact("models/broken.tar.gz", model__txt="broken")
    name = user.multi_model_endpoint()
    with pytest.raises(user.runtime.exceptions.ModelError) as error:
        ask(user, name, "broken.tar.gz")
    assert error.value.response["OriginalStatusCode"] == 400
    assert error.value.response["OriginalMessage"] == "this model is broken"


def test_a_model_that_answers_with_an_error_is_a_model_error(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint()
    with pytest.raises(user.runtime.exceptions.ModelError) as error:
        ask(user, name, "a.tar.gz", b'{"status": 404, "body": "unknown scheduler"}')
    assert (error.value.response["OriginalStatusCode"], error.value.response["OriginalMessage"]) == (
        404,
        "unknown scheduler",
    )


def test_target_model_is_required(user: Any) -> None:
    name = user.multi_model_endpoint()
    with pytest.raises(ClientError, match="ValidationError"):
        user.runtime.invoke_endpoint(EndpointName=name, Body=b"x")


def test_a_model_stays_with_its_instance(user: Any) -> None:
    for number in range(6):
        user.artifact(f"models/{number}.tar.gz", model__txt=str(number))
    name = user.multi_model_endpoint({"SLOTS": "6"}, InitialInstanceCount=2)
    homes = {number: ask(user, name, f"{number}.tar.gz")["instance"] for number in range(6)}
    for number, home in homes.items():
        assert ask(user, name, f"{number}.tar.gz")["instance"] == home


def test_without_the_model_cache_a_model_leaves_after_each_invocation(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint(cache="Disabled")
    ask(user, name, "a.tar.gz")
    user.artifact("models/a.tar.gz", model__txt="a, newer")
    user.eventually(lambda: ask(user, name, "a.tar.gz")["text"] == "a, newer")


def test_an_artifact_cannot_write_outside_its_directory(user: Any) -> None:
    user.artifact("models/evil.tar.gz", **{"../../../escaped__txt": "gotcha"})
    name = user.multi_model_endpoint()
    with pytest.raises(ClientError, match="Failed to extract model data archive"):
        ask(user, name, "evil.tar.gz")
