"""`python -m dependency_audit.image_papers --uv UV --extra EXTRA --out DIRECTORY`: what an image says about what is in it.

Run in the image that is built, by the interpreter that it is built for: of the lock's bill of materials it keeps what is really
installed there, in the version that is installed. Nothing in it depends on the time or on chance: the same image has the same bytes.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import sys
from pathlib import Path
from typing import Any

from dependency_audit.advisories import AuditFailed
from dependency_audit.bill_of_materials import SHIPPED, Package, write_bill
from dependency_audit.licences import licences

BILL_FILE = "bill-of-materials.cdx.json"
LICENCES_FILE = "licences.tsv"
PROJECT = "avatar-operator"
"""The distribution that the bill is about; it is not one of its components."""


def write_papers(uv: str, project: Path, extra: str, directory: Path) -> set[Package]:
    """Write the bill of materials and the licences of what is installed for this interpreter.

    Args:
        uv: the program.
        project: the directory of `uv.lock`.
        extra: one of `SHIPPED`.
        directory: where to write them.

    Returns:
        The packages that are installed.

    Raises:
        AuditFailed: uv could not do its work, or something is installed that the lock does not know.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / BILL_FILE
    write_bill(uv, project, extra, file)
    installed = {_plain(found.name): found.version for found in importlib.metadata.distributions()}
    installed.pop(PROJECT, None)
    bill = bill_of_image(json.loads(file.read_text()), installed)
    file.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n")
    packages = {Package(component["name"], component["version"]) for component in bill["components"]}
    lines = (f"{name}\t{version}\t{licence}\n" for (name, version), licence in licences(packages).items())
    (directory / LICENCES_FILE).write_text("".join(lines))
    return packages


def bill_of_image(bill: dict[str, Any], installed: dict[str, str]) -> dict[str, Any]:
    """The lock's bill, of what is installed alone. Pure.

    Args:
        bill: in CycloneDX.
        installed: the version of each package by its name.

    Raises:
        AuditFailed: something is installed that the lock does not know.
    """
    locked = {component["name"] for component in bill["components"]}
    unknown = sorted(installed.keys() - locked)
    if unknown:
        raise AuditFailed(f"installed, and not in the lock: {', '.join(unknown)}")
    # The lock may pin a package twice, for an older and a newer Python.
    components = {
        component["name"]: _as_installed(component, installed[component["name"]])
        for component in sorted(
            bill["components"], key=lambda component: component["version"] == installed.get(component["name"])
        )
        if component["name"] in installed
    }
    kept = {component["bom-ref"] for component in components.values()} | {
        bill["metadata"]["component"]["bom-ref"]
    }
    dependencies = [
        {**entry, "dependsOn": [ref for ref in entry.get("dependsOn", []) if ref in kept]}
        for entry in bill["dependencies"]
        if entry["ref"] in kept
    ]
    metadata = {name: value for name, value in bill["metadata"].items() if name != "timestamp"}
    return {
        **{name: value for name, value in bill.items() if name != "serialNumber"},
        "metadata": metadata,
        "components": [components[name] for name in sorted(components)],
        "dependencies": dependencies,
    }


def _as_installed(component: dict[str, Any], version: str) -> dict[str, Any]:
    """Of a version that the lock does not pin (torch without CUDA), its words on files and checksums are not true."""
    if component["version"] == version:
        return component
    return {
        "type": component["type"],
        "bom-ref": component["bom-ref"],
        "name": component["name"],
        "version": version,
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command line, and return its exit status."""
    parser = argparse.ArgumentParser(prog="dependency_audit.image_papers")
    parser.add_argument("--uv", required=True, help="the uv to ask")
    parser.add_argument("--extra", choices=SHIPPED, required=True, help="what the image is made of")
    parser.add_argument("--out", type=Path, required=True, help="where the papers go")
    options = parser.parse_args(arguments)
    try:
        packages = write_papers(options.uv, Path.cwd(), options.extra, options.out)
    except (AuditFailed, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"bill of materials and licences: {len(packages)} packages in {options.out}")
    return 0


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
