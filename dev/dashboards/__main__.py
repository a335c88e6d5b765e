"""`python -m dashboards`: write charts/avatar-operator/files/dashboards; with `--check` only compare."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from dashboards.endpoints_board import ENDPOINTS
from dashboards.grafana import to_json
from dashboards.operator_board import OPERATOR
from dashboards.platform_board import PLATFORM
from dashboards.tenant_board import TENANT

FOLDER: Final = Path(__file__).resolve().parents[2] / "charts" / "avatar-operator" / "files" / "dashboards"
BOARDS: Final = (PLATFORM, OPERATOR, ENDPOINTS, TENANT)


def rendered() -> dict[Path, str]:
    """The text of every dashboard, by path."""
    return {FOLDER / f"{board.uid}.json": to_json(board) for board in BOARDS}


def main(arguments: list[str] | None = None) -> int:
    """Write or check the dashboards; the exit code is 1 if `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="dashboards", description=(__doc__ or "").strip())
    parser.add_argument("--check", action="store_true", help="only compare; fail if a dashboard differs")
    check = parser.parse_args(arguments).check
    wanted = rendered()
    strange = sorted(set(FOLDER.glob("*.json")) - set(wanted))
    drifted = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in (*drifted, *strange):
        if check:
            print(f"{path.name} differs from dev/dashboards: run `make generate`", file=sys.stderr)
        elif path in wanted:
            path.write_text(wanted[path])
        else:
            path.unlink()
    return 1 if check and (drifted or strange) else 0


if __name__ == "__main__":
    sys.exit(main())
