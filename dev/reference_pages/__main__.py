"""`python -m reference_pages`: write docs/metrics.md, docs/settings.md, the chart's README and its schema.

With `--check` it only compares.

The page about the API comes with the CRDs: `python -m avatar_api.generate`. `make generate` does both.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from reference_pages.chart_page import chart_page
from reference_pages.chart_schema import chart_schema
from reference_pages.chart_values import CHART, chart_values
from reference_pages.metrics_page import metrics_page
from reference_pages.published_metrics import operator_metrics, serving_metrics
from reference_pages.settings_page import settings_page

DOCS = Path(__file__).resolve().parents[2] / "docs"


def rendered() -> dict[Path, str]:
    """The text of every page, by path."""
    values = chart_values((CHART / "values.yaml").read_text())
    return {
        CHART / "README.md": chart_page(values),
        CHART / "values.schema.json": chart_schema(values),
        DOCS / "metrics.md": metrics_page(operator_metrics(), serving_metrics()),
        DOCS / "settings.md": settings_page(),
    }


def main(arguments: list[str] | None = None) -> int:
    """Write or check the pages; the exit code is 1 if `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="reference_pages", description=(__doc__ or "").strip())
    parser.add_argument("--check", action="store_true", help="only compare; fail if a page differs")
    check = parser.parse_args(arguments).check
    drifted = {
        path: text for path, text in rendered().items() if not path.exists() or path.read_text() != text
    }
    for path, text in drifted.items():
        if check:
            print(f"{path.name} differs from the code: run `make generate`", file=sys.stderr)
        else:
            path.write_text(text)
    return 1 if check and drifted else 0


if __name__ == "__main__":
    sys.exit(main())
