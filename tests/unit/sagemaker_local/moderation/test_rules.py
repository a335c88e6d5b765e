"""Which rule answers, and which rules are refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_local.errors import AwsError
from sagemaker_local.moderation.rules import RuleBoard, Subject, choose, read_rule

API = "DetectModerationLabels"
CLEAN: dict[str, Any] = {"ModerationLabels": []}
NUDE: dict[str, Any] = {"ModerationLabels": [{"Name": "Explicit Nudity", "Confidence": 99.0}]}
SUBJECT = Subject(sha256="ab" * 32, key="in/nude-1.png", markers=("scene: beach",))
CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "sha256": st.sampled_from(["ab" * 32, "cd" * 32]),
        "key": st.sampled_from(["*", "in/*", "*/nude-*", "out/*"]),
        "marker": st.sampled_from(["*beach*", "*forest*"]),
    },
).filter(bool)


def rule(match: dict[str, Any], answer: dict[str, Any], api: str = API) -> dict[str, Any]:
    return {"api": api, "match": match, "answer": answer}


def test_what_no_rule_covers_is_an_error_that_says_how_to_add_one() -> None:
    with pytest.raises(AwsError) as refusal:
        RuleBoard().answer(API, SUBJECT)
    assert (refusal.value.code, refusal.value.status) == ("NoModerationRule", 501)
    assert "ab" * 32 in refusal.value.message
    assert "add_moderation_rule" in refusal.value.message


def test_rules_of_one_api_say_nothing_about_another() -> None:
    board = RuleBoard()
    board.add(rule({"anything": True}, {"FaceDetails": []}, "DetectFaces"))
    with pytest.raises(AwsError, match="No moderation rule"):
        board.answer(API, SUBJECT)


@pytest.mark.parametrize(
    "match",
    [
        {"sha256": "AB" * 32},
        {"key": "*/nude-*.png"},
        {"marker": "*beach"},
        {"key": "in/*", "marker": "scene: *"},
    ],
)
def test_an_image_is_known_by_its_hash_its_key_or_a_marker(match: dict[str, Any]) -> None:
    assert read_rule(rule(match, NUDE)).match.fits(SUBJECT)


@pytest.mark.parametrize(
    "match", [{"sha256": "00" * 32}, {"key": "*.jpg"}, {"key": "in/*", "marker": "forest"}]
)
def test_all_conditions_must_hold(match: dict[str, Any]) -> None:
    assert not read_rule(rule(match, NUDE)).match.fits(SUBJECT)


@pytest.mark.parametrize(
    ("text", "said"),
    [("You IDIOT!", True), ("idiotic", False), ("an idiot, really", True), ("a fine day", False)],
)
def test_words_are_found_whole_and_in_any_case(text: str, said: bool) -> None:
    words = read_rule(rule({"words": ["idiot"]}, {"Toxicity": 0.9}, "DetectToxicContent"))
    assert words.match.fits(Subject(text=text)) is said


@given(st.lists(CONDITIONS, max_size=6), st.integers(0, 6))
def test_the_latest_fitting_rule_wins_and_a_catch_all_only_without_one(
    matches: list[dict[str, Any]], position: int
) -> None:
    described = [rule(match, NUDE) for match in matches]
    described.insert(min(position, len(described)), rule({"anything": True}, CLEAN))
    rules = [read_rule(each) for each in described]
    fitting = [each for each in rules if each.match.fits(SUBJECT) and not each.match.anything]
    chosen = choose(API, SUBJECT, rules)
    assert chosen is not None
    if fitting:
        assert chosen is fitting[-1]
    else:
        assert chosen.match.anything


@pytest.mark.parametrize(
    ("description", "complaint"),
    [
        (rule({"anything": True}, CLEAN, "DetectDogs"), "api must be one of"),
        ({"api": API, "answer": CLEAN}, "match must be an object"),
        (rule({}, CLEAN), "match must be an object"),
        (rule({"colour": "red"}, CLEAN), "match must be an object"),
        (rule({"anything": True}, {}), "must say ModerationLabels"),
        (rule({"anything": True}, {"ContentTypes": []}), "not taken for clean"),
        (rule({"source": "INPUT"}, {"action": "NONE"}, "ApplyGuardrail"), "either conditions"),
        (rule({"anything": True}, {"Labels": []}), "are not among"),
        (rule({"anything": True}, {"ModerationLabels": [{"Confidence": "high"}]}), "Member must be a float"),
        (rule({"anything": True}, {"ModerationLabels": [{"Confidence": 101}]}), "less than or equal to 100"),
        (rule({"anything": True, "key": "*"}, CLEAN), "either conditions"),
        (rule({"anything": False}, CLEAN), "can only be true"),
        (rule({"words": ["x"]}, CLEAN), "knows nothing of match.words"),
        (rule({"words": "x"}, {"Toxicity": 1}, "DetectToxicContent"), "must be a list"),
        (rule({"sha256": 5}, CLEAN), "must be a string"),
        (rule({"anything": True}, {"Labels": [{"Name": "RUDE"}]}, "DetectToxicContent"), "enum value set"),
    ],
)
def test_a_bad_rule_is_refused_with_one_sentence(description: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        RuleBoard().add(description)


def test_a_guardrail_rule_need_not_say_what_is_counted() -> None:
    board = RuleBoard()
    board.add(rule({"anything": True}, {"action": "NONE"}, "ApplyGuardrail"))
    assert board.answer("ApplyGuardrail", Subject(text="hello")) == {"action": "NONE"}
