"""Every field of every document has an end, and nobody's words get any further than the reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from avatar_api.documents.artifact import ArtifactManifest
from avatar_api.documents.bounds import MAX_COUNT
from avatar_api.documents.credentials import AttemptCredentials
from avatar_api.documents.errors import WorkerError
from avatar_api.documents.inference import InferenceRequest, InferenceResult
from avatar_api.documents.parsing import UnreadableDocument, parse_document
from avatar_api.documents.training import (
    TrainingClaim,
    TrainingProgressMessage,
    TrainingRequest,
    TrainingResult,
)
from builders.wire_documents import WIRE_DOCUMENTS, mutated

DOCUMENTS: tuple[type[BaseModel], ...] = (
    ArtifactManifest,
    AttemptCredentials,
    InferenceRequest,
    InferenceResult,
    TrainingClaim,
    TrainingProgressMessage,
    TrainingRequest,
    TrainingResult,
    WorkerError,
)
MAX_SENTENCE = 2000


def test_there_is_an_example_of_every_document() -> None:
    assert set(WIRE_DOCUMENTS) == set(DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.__name__)
def test_every_field_has_an_end(document: type[BaseModel]) -> None:
    schema = document.model_json_schema(by_alias=True)
    parts = {document.__name__: schema, **schema.get("$defs", {})}

    assert [
        f"{name}.{field}: {fault}"
        for name, part in parts.items()
        for field, described in part["properties"].items()
        for fault in _faults(described)
    ] == []


def _faults(schema: dict[str, Any]) -> list[str]:
    """What has no end in the schema of a field."""
    faults = [fault for variant in schema.get("anyOf", ()) for fault in _faults(variant)]
    if "const" in schema or "enum" in schema or "$ref" in schema or "anyOf" in schema:
        return faults
    match schema["type"]:
        case "string":
            ends = "maxLength" in schema or schema.get("format") == "date-time"
        case "integer" | "number":
            ends = bool({"minimum", "exclusiveMinimum"} & schema.keys()) and "maximum" in schema
        case "array":
            ends = "maxItems" in schema
            faults += _faults(schema["items"])
        case kind:
            ends = kind in ("boolean", "null")
    return faults if ends else [*faults, f"{schema['type']} without end"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.__name__)
def test_what_this_version_writes_is_read(document: type[BaseModel]) -> None:
    read = parse_document(document, json.dumps(WIRE_DOCUMENTS[document]))

    assert parse_document(document, read.model_dump_json(by_alias=True, exclude_none=True)) == read


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.__name__)
def test_members_that_a_newer_version_has_are_ignored(document: type[BaseModel]) -> None:
    wire = WIRE_DOCUMENTS[document]

    newer = parse_document(document, json.dumps({**wire, "mood": {"of": ["the", "worker"]}}))

    assert newer == parse_document(document, json.dumps(wire))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.__name__)
def test_another_versions_document_is_refused(document: type[BaseModel]) -> None:
    other = {**WIRE_DOCUMENTS[document], "schemaVersion": "avatars.dev/something/v9"}

    with pytest.raises(UnreadableDocument, match="schemaVersion"):
        parse_document(document, json.dumps(other))


@given(st.sampled_from(DOCUMENTS).flatmap(lambda document: st.tuples(st.just(document), mutated(document))))
def test_no_document_gets_past_the_reader_otherwise_than_whole_and_within_bounds(
    forged: tuple[type[BaseModel], str],
) -> None:
    document, text = forged
    try:
        read = parse_document(document, text)
    except UnreadableDocument as refused:
        assert 0 < len(str(refused)) < MAX_SENTENCE
        return

    wire = read.model_dump(mode="json", by_alias=True)
    assert json.loads(json.dumps(wire, allow_nan=False)) == wire
    assert all(abs(number) <= 5 << 40 for number in _whole_numbers(wire))


def _whole_numbers(value: object) -> list[int]:
    if isinstance(value, dict):
        return [number for member in value.values() for number in _whole_numbers(member)]
    if isinstance(value, list):
        return [number for member in value for number in _whole_numbers(member)]
    return [value] if type(value) is int else []


@given(st.sampled_from(DOCUMENTS), st.binary(max_size=200) | st.text(max_size=200))
@example(TrainingResult, "[" * 100_000)
@example(TrainingResult, '{"a":' * 500 + "1" + "}" * 500)
@example(TrainingResult, "9" * 100_000)
@example(TrainingResult, "1e999999")
@example(WorkerError, b"\xff\xfe{")
@example(WorkerError, '"\ud800"')
def test_no_bytes_are_read_as_a_document(document: type[BaseModel], content: bytes | str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        parse_document(document, content)

    assert len(str(refused.value)) < MAX_SENTENCE


@pytest.mark.parametrize(
    ("document", "changes"),
    [
        (TrainingResult, {"photos": [{"uri": "s3://photos/1.jpg"}] * 101}),
        (TrainingResult, {"seconds": MAX_COUNT + 1}),
        (TrainingResult, {"seconds": "60"}),
        (TrainingResult, {"seconds": True}),
        (TrainingResult, {"finalLoss": 1e39}),
        (TrainingResult, {"photos": [{"uri": "s3://photos/1.jpg", "message": "x" * 2049}]}),
        (TrainingProgressMessage, {"step": 10**30}),
        (TrainingProgressMessage, {"sequence": 1.0}),
        (TrainingProgressMessage, {"time": "9000-01-01T00:00:00Z"}),
        (TrainingProgressMessage, {"time": "1969-12-31T23:59:59Z"}),
        (TrainingProgressMessage, {"time": "0001-01-01T00:00:00+14:00"}),
        (TrainingProgressMessage, {"time": "2026-11-22T12:00:00"}),
        (TrainingProgressMessage, {"time": 1_795_348_800}),
        (ArtifactManifest, {"workerVersion": "x" * 129}),
        (ArtifactManifest, {"attempt": 10_000_000}),
        (InferenceResult, {"generateSeconds": 3601}),
        (WorkerError, {"retryable": "yes"}),
    ],
    ids=range(17),
)
def test_what_is_out_of_bounds_is_refused_by_the_name_of_its_field(
    document: type[BaseModel], changes: dict[str, Any]
) -> None:
    with pytest.raises(UnreadableDocument, match=next(iter(changes))):
        parse_document(document, json.dumps({**WIRE_DOCUMENTS[document], **changes}))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused_wherever_it_stands(number: str) -> None:
    text = json.dumps({**WIRE_DOCUMENTS[TrainingResult], "unknown": [{"deep": 7}]})

    with pytest.raises(UnreadableDocument, match="NaN and Infinity are no JSON"):
        parse_document(TrainingResult, text.replace("7}", f"{number}}}"))


def test_a_name_that_stands_twice_is_refused_however_deep() -> None:
    text = json.dumps(WIRE_DOCUMENTS[TrainingResult])
    twice = text.replace('"targetModel":', '"targetModel": "team-b/1/r1-a1.tar.gz", "targetModel":')
    assert twice != text

    with pytest.raises(UnreadableDocument, match="stands twice"):
        parse_document(TrainingResult, twice)


def test_an_error_names_five_fields_at_most() -> None:
    with pytest.raises(UnreadableDocument) as refused:
        parse_document(TrainingRequest, json.dumps({"photos": [{}] * 20}))

    assert str(refused.value).count("; ") == 5
    assert str(refused.value).endswith("and 25 more")
