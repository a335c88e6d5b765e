"""The rules that moderation answers by.

There is no model here that could see or read. What an API answers about an image or a text is what a rule says, and **what no
rule covers is an error, never a clean verdict**: a test that forgot to say what its picture shows must not pass because
everything is allowed. A catch-all rule exists, but has to be asked for by name.

    {"api": "DetectModerationLabels", "match": {"marker": "nude"},
        "answer": {"ModerationLabels": [{"Name": ..., "Confidence": 97.5}]}}
    {"api": "DetectToxicContent", "match": {"words": ["idiot"]},
        "answer": {"Labels": [{"Name": "INSULT", "Score": 0.98}], "Toxicity": 0.9}}
    {"api": "DetectModerationLabels", "match": {"anything": true}, "answer": {"ModerationLabels": []}}

All conditions of a match must hold. Of several rules that match, the latest wins, but one that matches anything only when no
other does. The answer is in AWS's own members and is checked against botocore's model when the rule is added.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from sagemaker_local.errors import AwsError
from sagemaker_local.shapes import report, service_model, violations

MAX_RULES = 1_000
MAX_WORDS = 1_000

RULE_SHAPES: Mapping[str, Callable[[], Any]] = {
    "DetectModerationLabels": lambda: _output("rekognition", "DetectModerationLabels"),
    "DetectFaces": lambda: _output("rekognition", "DetectFaces"),
    # One rule speaks about one segment.
    "DetectToxicContent": lambda: _output("comprehend", "DetectToxicContent").members["ResultList"].member,
    "ApplyGuardrail": lambda: _output("bedrock-runtime", "ApplyGuardrail"),
}
_VERDICT: Mapping[str, set[str]] = {
    "DetectModerationLabels": {"ModerationLabels"},
    "DetectFaces": {"FaceDetails"},
    "DetectToxicContent": {"Labels", "Toxicity"},
    "ApplyGuardrail": {"action"},
}
_IMAGE_CONDITIONS = {"sha256", "key", "marker"}


@dataclass(frozen=True)
class Subject:
    """What a call asks about: one image or one text.

    Attributes:
        sha256: of the image's bytes, in hexadecimal digits.
        key: where the image lies in S3, for an image that was given so.
        markers: texts in the image file's metadata.
        text: the text, for a text.
        guardrail, source: of ApplyGuardrail: the guardrail's identifier, and INPUT or OUTPUT.
    """

    sha256: str | None = None
    key: str | None = None
    markers: tuple[str, ...] = ()
    text: str | None = None
    guardrail: str | None = None
    source: str | None = None

    def __str__(self) -> str:
        if self.text is not None:
            return f"the text {self.text[:80]!r}"
        place = f", S3 key {self.key!r}" if self.key is not None else ""
        return f"the image with SHA-256 {self.sha256}{place}, markers {list(self.markers)!r}"


@dataclass(frozen=True)
class Match:
    """What a rule is about. Patterns are those of file names: `*`, `?`, `[...]`; case matters.

    Attributes:
        sha256: the image's.
        key: a pattern for the image's S3 key; `*/nude-*.png` matches a file name.
        marker: a pattern for one of the texts in the image file's metadata (PNG text, JPEG comment).
        words: any of these occurs in the text as a whole word, in upper or lower case.
        guardrail: the guardrail's identifier.
        source: `INPUT` or `OUTPUT`.
        anything: the rule is a catch-all for what no other rule matches.
    """

    sha256: str | None = None
    key: str | None = None
    marker: str | None = None
    words: tuple[str, ...] | None = None
    guardrail: str | None = None
    source: str | None = None
    anything: bool = False

    def fits(self, subject: Subject) -> bool:
        """Whether all conditions hold."""
        return all(
            (
                self.sha256 is None or self.sha256.lower() == subject.sha256,
                self.key is None or (subject.key is not None and fnmatchcase(subject.key, self.key)),
                self.marker is None or any(fnmatchcase(text, self.marker) for text in subject.markers),
                self.words is None or _mentions(subject.text, self.words),
                self.guardrail is None or self.guardrail == subject.guardrail,
                self.source is None or self.source == subject.source,
            )
        )


@dataclass(frozen=True)
class Rule:
    """What one API answers about what matches."""

    api: str
    match: Match
    answer: Mapping[str, Any]
    description: Mapping[str, Any]


class RuleBoard:
    """The rules that have been set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def add(self, description: Mapping[str, Any]) -> None:
        """Add a rule.

        Raises:
            ValueError: with one sentence that says what is wrong with it.
        """
        rule = read_rule(description)
        with self._lock:
            if len(self._rules) >= MAX_RULES:
                raise ValueError(f"at most {MAX_RULES} moderation rules can be set")
            self._rules.append(rule)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def listing(self) -> list[Mapping[str, Any]]:
        """The rules as they were added, in that order."""
        with self._lock:
            return [rule.description for rule in self._rules]

    def answer(self, api: str, subject: Subject) -> Mapping[str, Any]:
        """What the rules say.

        Raises:
            AwsError: NoModerationRule (501, which botocore does not retry), when they say nothing.
        """
        with self._lock:
            rule = choose(api, subject, self._rules)
        if rule is None:
            raise AwsError(
                "NoModerationRule",
                f"No moderation rule of {api} covers {subject}. sagemaker-local answers by rules only and calls nothing safe by "
                "itself: add one with POST /_sagemaker_local/moderation or LocalAws.add_moderation_rule (docs/sagemaker-local.md).",
                501,
            )
        return rule.answer


def choose(api: str, subject: Subject, rules: Sequence[Rule]) -> Rule | None:
    """The latest rule that fits; a catch-all only when no other does."""
    fitting = [rule for rule in reversed(rules) if rule.api == api and rule.match.fits(subject)]
    return next((rule for rule in fitting if not rule.match.anything), fitting[0] if fitting else None)


def read_rule(description: Mapping[str, Any]) -> Rule:
    """A rule from its JSON form. Raises ValueError with one sentence."""
    unknown = set(description) - {"api", "match", "answer"}
    if unknown:
        raise ValueError(f"a moderation rule has api, match and answer, not {sorted(unknown)}")
    api = description.get("api")
    if not isinstance(api, str) or api not in RULE_SHAPES:
        raise ValueError(f"a moderation rule's api must be one of {sorted(RULE_SHAPES)}, not {api!r}")
    answer = description.get("answer")
    if not isinstance(answer, Mapping):
        raise ValueError(
            "a moderation rule's answer must be an object with the members of the API's response"
        )
    shape = RULE_SHAPES[api]()
    foreign = set(answer) - set(shape.members)
    if foreign:
        raise ValueError(f"the answer's {sorted(foreign)} are not among {api}'s {sorted(shape.members)}")
    # What ApplyGuardrail computes need not be said, though its model requires it.
    filled = {**{name: _EMPTY[name] for name in shape.required_members if name in _EMPTY}, **answer}
    found = violations(shape, filled, "answer")
    if found:
        raise ValueError(report(found))
    if not _VERDICT[api] & set(answer):
        raise ValueError(
            f"the answer must say {' or '.join(sorted(_VERDICT[api]))}: what is not said is not taken for clean"
        )
    return Rule(api, _read_match(api, description.get("match")), dict(answer), dict(description))


def _read_match(api: str, described: Any) -> Match:
    names = {each.name for each in fields(Match)}
    if not isinstance(described, Mapping) or not described or set(described) - names:
        raise ValueError(f"a moderation rule's match must be an object with some of {sorted(names)}")
    words = described.get("words")
    if words is not None and not (
        isinstance(words, list)
        and 0 < len(words) <= MAX_WORDS
        and all(isinstance(each, str) and each for each in words)
    ):
        raise ValueError(f"match.words must be a list of 1 to {MAX_WORDS} words")
    for name in names - {"words", "anything"}:
        if name in described and not isinstance(described[name], str):
            raise ValueError(f"match.{name} must be a string, not {described[name]!r}")
    if described.get("anything", True) is not True:
        raise ValueError("match.anything can only be true")
    conditions = _IMAGE_CONDITIONS.union({"words"}) & set(described)
    if ("anything" in described) == bool(conditions):
        raise ValueError(
            "a match has either conditions on the content (sha256, key, marker, words) or anything: true, which is for what no "
            "other rule matches"
        )
    useless = ({"words"} if api in ("DetectModerationLabels", "DetectFaces") else set()) | (
        _IMAGE_CONDITIONS if api == "DetectToxicContent" else set()
    )
    if api != "ApplyGuardrail":
        useless |= {"guardrail", "source"}
    if useless & set(described):
        raise ValueError(f"{api} knows nothing of match.{', match.'.join(sorted(useless & set(described)))}")
    return Match(**{**described, **({"words": tuple(words)} if words else {})})


def _mentions(text: str | None, words: Sequence[str]) -> bool:
    return text is not None and any(
        re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) for word in words
    )


def _output(service: str, operation: str) -> Any:
    return service_model(service).operation_model(operation).output_shape


_EMPTY: Mapping[str, Any] = {
    "outputs": [],
    "assessments": [],
    "usage": {
        "topicPolicyUnits": 0,
        "contentPolicyUnits": 0,
        "wordPolicyUnits": 0,
        "sensitiveInformationPolicyUnits": 0,
        "sensitiveInformationPolicyFreeUnits": 0,
        "contextualGroundingPolicyUnits": 0,
    },
}
