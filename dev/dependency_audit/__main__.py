"""`python -m dependency_audit --uv UV --out DIRECTORY`: what `make audit` does."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dependency_audit.advisories import AuditFailed, ask
from dependency_audit.bill_of_materials import SHIPPED, Package, write_bill
from dependency_audit.licences import licences, to_be_read

PROJECT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Write bills and licences, and ask for advisories.

    Returns:
        0; 1 if a package is known to have a hole, or if the lock could not be looked at.
    """
    options = _parser().parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        shipped: set[Package] = set()
        for extra in SHIPPED:
            file = options.out / f"{extra}.cdx.json"
            packages = write_bill(options.uv, PROJECT, extra, file)
            print(f"bill of materials: {len(packages)} packages in {file}")
            shipped |= packages
        _write_licences(licences(shipped), options.out / "licences.tsv")
        known = ask(options.uv, PROJECT, options.data_base)
    except (AuditFailed, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(known.text)
    return 1 if known.holes else 0


def _write_licences(found: dict[Package, str], file: Path) -> None:
    file.write_text("".join(f"{name}\t{version}\t{licence}\n" for (name, version), licence in found.items()))
    read = ", ".join(f"{licence} ({count})" for licence, count in to_be_read(found).items())
    print(f"licences: {len(found)} packages in {file}; to be read before shipping: {read or 'none'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dependency_audit", description=(__doc__ or "").strip())
    parser.add_argument("--uv", required=True, help="the uv to ask; 0.13.9 or newer")
    parser.add_argument("--out", type=Path, required=True, help="where bills and licences go")
    parser.add_argument("--data-base", help="an advisory data base that answers as OSV does, instead of OSV")
    return parser


if __name__ == "__main__":
    sys.exit(main())
