"""What docs/desk.md says of filters and search is what the code takes."""

import re

from helpdesk.conversations import search as ranking
from tests.docs.pages import ROOT
from tickets.desk import filters, inbox, search

PAGE = (ROOT / "docs" / "desk.md").read_text()


def _named(heading: str, mark: str) -> set[str]:
    """The codes in the first cells of the table that begins with this head."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    return {name for cell in cells for name in re.findall(mark, cell)}


def test_every_filter_is_named() -> None:
    assert _named("filter", r"`(\w+)`") == set(filters._CLEANERS)


def test_every_search_field_is_named() -> None:
    fields = _named("field", r"`(\w+):")
    assert fields == set(search._FIELDS) | {"after", "before", "in"}


def test_every_standard_view_is_named() -> None:
    cells = PAGE.partition("| view |")[2].partition("\n\n")[0].splitlines()[2:]
    named = {title.strip() for row in cells for title in row.split("|")[1].split(",")}
    assert named == {view.title for view in inbox.standard().values()}


def test_the_numbers_are_the_codes() -> None:
    assert f"newest {ranking.RANKED} matches" in PAGE
    assert ranking.PATIENCE_MS == 3000
