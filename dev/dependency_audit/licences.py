"""Under which licences the packages come, by their own words."""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from collections.abc import Iterable
from email.message import Message

from dependency_audit.bill_of_materials import Package

ELSEWHERE = "not installed here"
UNKNOWN = "unknown"
_LONGEST = 80
_TO_BE_READ = ("GPL", "Proprietary", UNKNOWN)


def licences(packages: Iterable[Package]) -> dict[Package, str]:
    """The licence of each package, in the order of their names.

    A package for other systems or processors is `ELSEWHERE`: its words cannot be read on this machine.
    """
    return {package: _installed_licence(package.name) for package in sorted(packages)}


def licence_of(metadata: Message) -> str:
    """What a package's metadata says: its SPDX expression, else its classifiers, else the first line of its text. Pure."""
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [
        str(value) for value in metadata.get_all("Classifier", []) if str(value).startswith("License ::")
    ]
    if classifiers:
        return " / ".join(value.rsplit(" :: ", 1)[-1] for value in classifiers)
    lines = str(metadata.get("License", "")).strip().splitlines()
    return lines[0][:_LONGEST] if lines else UNKNOWN


def to_be_read(found: dict[Package, str]) -> Counter[str]:
    """The licences that somebody should read before shipping, unusual or unknown ones, by how many packages have them. Pure."""
    return Counter(licence for licence in found.values() if any(word in licence for word in _TO_BE_READ))


def _installed_licence(name: str) -> str:
    try:
        return licence_of(importlib.metadata.distribution(name).metadata)  # type: ignore[arg-type]  # it is a Message
    except importlib.metadata.PackageNotFoundError:
        return ELSEWHERE
