"""The bill of an image: what is installed in it, and nothing that is not."""

from __future__ import annotations

from typing import Any

import pytest

from dependency_audit.advisories import AuditFailed
from dependency_audit.image_papers import bill_of_image


def _component(name: str, version: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
    }


def _bill(*components: dict[str, Any]) -> dict[str, Any]:
    root = {"name": "avatar-operator", "bom-ref": "root"}
    refs = [component["bom-ref"] for component in components]
    return {
        "bomFormat": "CycloneDX",
        "serialNumber": "urn:uuid:by-chance",
        "metadata": {"timestamp": "now", "component": root},
        "components": list(components),
        "dependencies": [{"ref": "root", "dependsOn": refs}, *({"ref": ref} for ref in refs)],
    }


def test_what_is_for_other_systems_is_left_out() -> None:
    bill = bill_of_image(_bill(_component("a", "1"), _component("only-on-windows", "2")), {"a": "1"})
    assert bill["components"] == [_component("a", "1")]
    assert bill["dependencies"] == [{"ref": "root", "dependsOn": ["a@1"]}, {"ref": "a@1", "dependsOn": []}]


def test_of_two_versions_that_the_lock_pins_the_installed_one_is_listed() -> None:
    pinned = _bill(_component("a", "1"), _component("a", "2"))
    for version in ("1", "2"):
        assert bill_of_image(pinned, {"a": version})["components"] == [_component("a", version)]


def test_a_version_that_the_lock_does_not_pin_has_no_checksum_of_another() -> None:
    (component,) = bill_of_image(_bill(_component("torch", "2")), {"torch": "2+cpu"})["components"]
    assert component["version"] == "2+cpu"
    assert "purl" not in component


def test_nothing_in_it_depends_on_time_or_chance() -> None:
    bill = bill_of_image(_bill(_component("a", "1")), {"a": "1"})
    assert "serialNumber" not in bill
    assert "timestamp" not in bill["metadata"]


def test_what_the_lock_does_not_know_is_refused() -> None:
    with pytest.raises(AuditFailed, match="installed, and not in the lock: stranger"):
        bill_of_image(_bill(_component("a", "1")), {"a": "1", "stranger": "1"})
