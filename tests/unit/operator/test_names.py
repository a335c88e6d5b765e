"""External names, derived and never invented: whoever knows the object knows the name, and the other way round."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_operator.names import (
    AttemptName,
    inference_id,
    parse_inference_id,
)
from builders.objects import MODEL_UID

UIDS = st.uuids().map(str)
NUMBERS = st.integers(1, 9_999_999)


@given(UIDS, NUMBERS, NUMBERS)
def test_an_inference_id_leads_back_to_its_attempt(uid: str, revision: int, attempt: int) -> None:
    name = inference_id(uid, revision, attempt)

    assert parse_inference_id(name) == AttemptName(uid, revision, attempt)
    assert len(name) <= 64


@given(
    st.text(max_size=60) | st.from_regex(r"avm-[0-9a-f]{30,34}-r[0-9]{1,8}-a[0-9]{1,8}\n?", fullmatch=True)
)
def test_only_ids_of_our_own_making_are_understood(value: str) -> None:
    parsed = parse_inference_id(value)

    assert parsed is None or inference_id(parsed.uid, parsed.revision, parsed.attempt) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "avm-",
        inference_id(MODEL_UID, 1, 1).upper(),
        f"{inference_id(MODEL_UID, 1, 1)}\n",
        f"x{inference_id(MODEL_UID, 1, 1)}",
        f"{inference_id(MODEL_UID, 1, 1)}-copy",
        f"avm-{MODEL_UID.replace('-', '')}-r01-a1",
    ],
)
def test_an_id_that_is_not_ours_is_none(value: str) -> None:
    assert parse_inference_id(value) is None


@given(UIDS, NUMBERS, NUMBERS)
def test_different_attempts_have_different_names(uid: str, revision: int, attempt: int) -> None:
    other = str(uuid.UUID(int=uuid.UUID(uid).int ^ 1))
    attempts = {
        (uid, revision, attempt),
        (uid, revision, attempt + 1),
        (uid, attempt + 1, revision),
        (other, revision, attempt),
    }

    assert len({inference_id(*each) for each in attempts}) == len(attempts)
