"""Multi-model endpoints: load by traffic, evict by need, never mix models (reference 2.4)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_a_model_is_loaded_from_below_the_prefix_when_first_asked_for(user: Any) -> None:
    user.artifact("models/tenant-a/alice.tar.gz", model__txt="I am Alice")
    name = user.multi_model_endpoint()
    assert user.invoke_model(name, "tenant-a/alice.tar.gz")["text"] == "I am Alice"


def test_the_container_knows_that_it_serves_many_models(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    environment = user.invoke_model(user.multi_model_endpoint(), "a.tar.gz", b'{"tell": "environment"}')
    assert environment["SAGEMAKER_MULTI_MODEL"] == "true"


def test_the_container_cannot_read_a_models_name(user: Any) -> None:
    user.artifact("models/tenant-a/alice.tar.gz", model__txt="I am Alice")
    told = user.invoke_model(user.multi_model_endpoint(), "tenant-a/alice.tar.gz")
    assert told["name"]
    assert not any(part in told["name"] for part in ("tenant-a", "alice"))


def test_models_added_later_need_no_update(user: Any) -> None:
    name = user.multi_model_endpoint()
    user.artifact("models/new.tar.gz", model__txt="new")
    assert user.invoke_model(name, "new.tar.gz")["text"] == "new"


def test_a_loaded_model_is_not_loaded_again(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint()
    for _ in range(3):
        told = user.invoke_model(name, "a.tar.gz")
    assert told["loads"] == {"a": 1}


def test_models_give_way_to_others_when_memory_is_full(user: Any) -> None:
    for letter in "abc":
        user.artifact(f"models/{letter}.tar.gz", model__txt=letter)
    name = user.multi_model_endpoint({"SLOTS": "2"})
    for letter in "abcab":
        told = user.invoke_model(name, f"{letter}.tar.gz")
        assert told["text"] == letter
        assert told["loaded"] <= 2


def test_an_evicted_model_comes_back_from_disk_even_when_it_left_s3(user: Any) -> None:
    for letter in "ab":
        user.artifact(f"models/{letter}.tar.gz", model__txt=letter)
    name = user.multi_model_endpoint({"SLOTS": "1"})
    user.invoke_model(name, "a.tar.gz")
    user.s3.delete_object(Bucket=user.bucket, Key="models/a.tar.gz")
    user.invoke_model(name, "b.tar.gz")
    assert user.invoke_model(name, "a.tar.gz")["text"] == "a"


def test_a_model_that_the_container_dropped_is_loaded_again(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint()
    user.invoke_model(name, "a.tar.gz", b'{"forget": true}')
    assert user.invoke_model(name, "a.tar.gz")["loads"] == {"a": 2}


def test_many_first_requests_share_one_load(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint({"LOAD_SECONDS": "1"})
    answers: list[dict[str, Any]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(user.invoke_model(name, "a.tar.gz"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["loads"] for answer in answers] == [{"a": 1}] * 8


def test_an_artifact_that_does_not_exist_is_a_validation_error(user: Any) -> None:
    name = user.multi_model_endpoint()
    with pytest.raises(ClientError) as refusal:
        user.invoke_model(name, "nobody.tar.gz")
    assert refusal.value.response["Error"]["Code"] == "ValidationError"


def test_an_artifact_that_is_no_archive_is_refused(user: Any) -> None:
    user.s3.put_object(Bucket=user.bucket, Key="models/junk.tar.gz", Body=b"junk")
    name = user.multi_model_endpoint()
    with pytest.raises(ClientError):
        user.invoke_model(name, "junk.tar.gz")


def test_a_model_that_does_not_load_is_a_model_error(user: Any) -> None:
    user.artifact("models/broken.tar.gz", model__txt="broken")
    name = user.multi_model_endpoint()
    with pytest.raises(user.runtime.exceptions.ModelError) as error:
        user.invoke_model(name, "broken.tar.gz")
    assert "this model is broken" in str(error.value.response)


def test_a_model_that_answers_with_an_error_is_a_model_error(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint()
    with pytest.raises(user.runtime.exceptions.ModelError) as error:
        user.invoke_model(name, "a.tar.gz", b'{"status": 404, "body": "unknown scheduler"}')
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
    homes = {number: user.invoke_model(name, f"{number}.tar.gz")["instance"] for number in range(6)}
    for number, home in homes.items():
        assert user.invoke_model(name, f"{number}.tar.gz")["instance"] == home


def test_without_the_model_cache_a_model_leaves_after_each_invocation(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint(cache="Disabled")
    user.invoke_model(name, "a.tar.gz")
    user.artifact("models/a.tar.gz", model__txt="a, newer")
    user.eventually(lambda: user.invoke_model(name, "a.tar.gz")["text"] == "a, newer")


def test_a_slow_model_is_not_ready_and_then_is(user: Any) -> None:
    user.artifact("models/slow.tar.gz", model__txt="slow")
    gate = user.gate()
    name = user.multi_model_endpoint(gate.load_environment)

    # The first request has the load begin on the slow clock, so that it has its six minutes; the second asks on a fast one.
    with ThreadPoolExecutor(1) as pool:
        try:
            first = pool.submit(user.invoke_model, name, "slow.tar.gz")
            user.eventually(gate.reached)
            user.hurry(60)
            with pytest.raises(user.runtime.exceptions.ModelNotReadyException) as error:
                user.runtime.invoke_endpoint(EndpointName=name, TargetModel="slow.tar.gz", Body=b"?")
            user.hurry(1)
        finally:
            gate.open()
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert first.result()["loads"] == {"slow": 1}
    assert user.invoke_model(name, "slow.tar.gz")["loads"] == {"slow": 1}


def test_a_model_that_takes_longer_than_six_minutes_to_load_is_a_model_error(user: Any) -> None:
    user.artifact("models/slow.tar.gz", model__txt="slow")
    name = user.multi_model_endpoint({"LOAD_SECONDS": "3600"})
    user.hurry(300)

    def refused() -> str:
        with pytest.raises(ClientError) as error:
            user.runtime.invoke_endpoint(EndpointName=name, TargetModel="slow.tar.gz", Body=b"?")
        return str(error.value.response["Error"]["Code"])

    # Only who waits at the moment when the load is given up is told so; the others are told that the model is not ready.
    assert user.eventually(refused, lambda code: code != "ModelNotReadyException") == "ModelError"
