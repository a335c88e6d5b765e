"""Reading the API server's audit log and counting writes in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_cluster.audit_log import AuditEvent, AuditLog, WrittenObject, count_writes


def document(**changes: Any) -> dict[str, Any]:
    """An audit event as Kubernetes 1.34 writes it: the operator patches the status of an AvatarModel."""
    event = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": "8b5a2a4e-0a62-4d1f-93f1-0d5f3a2d8f1c",
        "stage": "ResponseComplete",
        "requestURI": "/apis/avatars.dev/v1alpha1/namespaces/team/avatarmodels/ada/status",
        "verb": "patch",
        "user": {"username": "system:serviceaccount:avatars:operator", "groups": ["system:authenticated"]},
        "sourceIPs": ["127.0.0.1"],
        "userAgent": "avatar-operator/0.1",
        "objectRef": {
            "resource": "avatarmodels",
            "namespace": "team",
            "name": "ada",
            "apiGroup": "avatars.dev",
            "apiVersion": "v1alpha1",
            "subresource": "status",
        },
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": "2026-11-22T16:00:00.123456Z",
        "stageTimestamp": "2026-11-22T16:00:00.133456Z",
    }
    return {**event, **changes}


def test_an_event_tells_who_did_what_to_which_object() -> None:
    event = AuditEvent.from_document(document())

    assert event.user == "system:serviceaccount:avatars:operator"
    assert (event.verb, event.api_group, event.resource, event.subresource) == (
        "patch",
        "avatars.dev",
        "avatarmodels",
        "status",
    )
    assert (event.namespace, event.name, event.code) == ("team", "ada", 200)
    assert event.time.isoformat() == "2026-11-22T16:00:00.133456+00:00"


def test_a_request_for_no_object_is_read_as_well() -> None:
    bare = document(verb="get", requestURI="/version")
    del bare["objectRef"]

    event = AuditEvent.from_document(bare)

    assert (event.resource, event.name) == ("", "")


@pytest.mark.parametrize(
    ("verb", "writes"),
    [
        ("create", True),
        ("update", True),
        ("patch", True),
        ("delete", True),
        ("deletecollection", True),
        ("get", False),
        ("list", False),
        ("watch", False),
    ],
)
def test_writes_are_told_from_reads(verb: str, writes: bool) -> None:
    assert AuditEvent.from_document(document(verb=verb)).is_write is writes


def test_a_conflict_is_a_write_that_did_not_succeed() -> None:
    event = AuditEvent.from_document(document(responseStatus={"code": 409}))

    assert event.is_write
    assert not event.succeeded


def test_writes_are_counted_by_user_and_object_and_subresource() -> None:
    events = [
        AuditEvent.from_document(document()),
        AuditEvent.from_document(document(responseStatus={"code": 409})),
        AuditEvent.from_document(document(verb="get")),
        AuditEvent.from_document(document(user={"username": "admin"})),
    ]

    counted = count_writes(events)

    status_of_ada = ("avatars.dev", "avatarmodels", "status", "team", "ada")
    assert counted[WrittenObject("system:serviceaccount:avatars:operator", *status_of_ada)] == 2
    assert counted[WrittenObject("admin", *status_of_ada)] == 1
    assert counted.total() == 3


def test_only_events_after_a_position_are_read(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log")
    log.path.write_text(json.dumps(document()) + "\n")
    position = log.position()
    with log.path.open("a") as file:
        file.write(json.dumps(document(verb="delete")) + "\n")

    assert [event.verb for event in log.events(position)] == ["delete"]
    assert [event.verb for event in log.events()] == ["patch", "delete"]


def test_a_line_that_is_still_being_written_is_left_for_later(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log")
    log.path.write_text(json.dumps(document()) + "\n" + json.dumps(document())[:40])

    assert len(log.events()) == 1


def test_a_log_that_does_not_exist_yet_is_empty(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log")

    assert log.position() == 0
    assert log.events() == []
