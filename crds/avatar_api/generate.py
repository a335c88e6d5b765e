"""Write the CRD YAML beside this package and into the chart, and the API reference: `python -m avatar_api.generate`.

A chart can show nothing that lies outside of it, and Helm warns of links, so the chart has copies.

With `--check` nothing is written; the exit code says whether the committed files are what the types say.
"""

import argparse
import sys
from pathlib import Path

import yaml

from avatar_api.crd import DEFINITIONS
from avatar_api.reference_page import reference_page

DIRECTORY = Path(__file__).resolve().parent.parent
CHART = DIRECTORY.parent / "charts" / "avatar-operator" / "files" / "crds"
REFERENCE = DIRECTORY.parent / "docs" / "api-reference.md"
_HEADER = "# Generated from crds/avatar_api by `make generate`. Do not edit.\n"


def rendered() -> dict[Path, str]:
    """The text of every generated file, by path."""
    definitions = {
        directory / definition.file_name(): _HEADER
        + yaml.safe_dump(definition.to_wire(), sort_keys=False, width=110)
        for definition in DEFINITIONS
        for directory in (DIRECTORY, CHART)
    }
    return {**definitions, REFERENCE: reference_page(DEFINITIONS)}


def main() -> int:
    """Write or check the generated files; the exit code is 1 if `--check` finds a difference."""
    parser = argparse.ArgumentParser(
        description="Generate the CRD YAML and the API reference from the typed API."
    )
    parser.add_argument("--check", action="store_true", help="only compare; fail if a file differs")
    arguments = parser.parse_args()
    drifted = [path for path, text in rendered().items() if not path.exists() or path.read_text() != text]
    if arguments.check:
        for path in drifted:
            print(f"{path.name} differs from crds/avatar_api: run `make generate`", file=sys.stderr)
        return 1 if drifted else 0
    for path in drifted:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered()[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
