"""The documents, as tests read them: pages, tables, links, manifests."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = (
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    REPOSITORY / "CHANGELOG.md",
    REPOSITORY / "SECURITY.md",
    REPOSITORY / "charts" / "avatar-operator" / "README.md",
    *sorted(DOCS.rglob("*.md")),
    *sorted((REPOSITORY / "examples").rglob("*.md")),
)


def section(page: Path, heading: str) -> str:
    """The text below a heading of the second level, up to the next one."""
    _, _, rest = page.read_text().partition(f"\n## {heading}\n")
    assert rest, f"{page} has no section {heading}"
    return rest.partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row that begins with code."""
    lines = re.findall(r"^\| `.*\|$", text, re.MULTILINE)
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def code_words(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def commands(page: Path) -> list[str]:
    """What somebody may type: indented lines, and kubectl's between backticks."""
    text = page.read_text()
    lines = re.findall(r"^ {4,}\S.*$", text, re.MULTILINE)
    return lines + [code for code in code_words(text) if code.startswith("kubectl ")]


def manifests(page: Path) -> list[str]:
    """Every YAML block of a page."""
    return re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """What a link into the page may name, as GitHub makes it from headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
