"""The documentation as data: its pages, their tables, links and the code they show."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]

_LINK = re.compile(r"!?\[[^\]]*\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"`([^`\n]+)`")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def page(name: str) -> str:
    return (ROOT / name).read_text()


def links(text: str) -> list[str]:
    """The targets of links and pictures."""
    return _LINK.findall(_FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code(text: str) -> list[str]:
    """Every piece in backticks, fenced blocks left out."""
    return _CODE.findall(_FENCE.sub("", text))


def blocks(text: str, language: str) -> list[str]:
    return [body for found, body in _FENCE.findall(text) if found == language]


def tables(text: str) -> Iterator[list[dict[str, str]]]:
    """Each table as rows by column."""
    lines: list[str] = []
    for line in [*_FENCE.sub("", text).splitlines(), ""]:
        if line.startswith("|"):
            lines.append(line)
            continue
        if len(lines) > 2:
            columns, _, *rows = [[cell.strip() for cell in _CELL.split(row)[1:-1]] for row in lines]
            yield [dict(zip(columns, row, strict=True)) for row in rows]
        lines = []


def table(name: str, *columns: str) -> list[dict[str, str]]:
    """The rows of the first table of a page with these columns."""
    for rows in tables(page(name)):
        if set(columns) <= rows[0].keys():
            return rows
    raise AssertionError(f"{name} has no table with {columns}")
