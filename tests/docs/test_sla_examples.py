"""The examples of docs/sla.md are what `helpdesk.sla` computes."""

import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from helpdesk import demo
from helpdesk.sla.explanation import explain
from helpdesk.sla.hours import OpeningHours
from helpdesk.sla.preview import preview_line
from helpdesk.sla.week import WEEKDAYS
from tests.docs.pages import blocks, page, table

BERLIN = ZoneInfo("Europe/Berlin")
HOLIDAYS = {date(2026, 4, 3): "Good Friday", date(2026, 4, 6): "Easter Monday", date(2026, 5, 1): "Labour Day"}
HOURS = {
    "12x5": OpeningHours.from_week("Europe/Berlin", {day: [["08:00", "20:00"]] for day in WEEKDAYS[:5]}, HOLIDAYS),
    "24x7": OpeningHours.from_week("Europe/Berlin", {day: [["00:00", "24:00"]] for day in WEEKDAYS}),
}
FORMAT = "%a %Y-%m-%d %H:%M"
SECONDS = {"min": 60, "h": 3600}


def _instant(text: str) -> datetime:
    at = datetime.strptime(text, FORMAT).replace(tzinfo=BERLIN)
    assert at.strftime(FORMAT) == text, "that day is another weekday"
    return at


def _seconds(text: str) -> int:
    number, unit = text.split()
    return int(number) * SECONDS[unit]


def _examples() -> list[dict[str, str]]:
    return table("docs/sla.md", "hours", "goal", "asked", "paused", "due")


@pytest.mark.parametrize("row", _examples(), ids=[row["why"] for row in _examples()])
def test_expected_values(row: dict[str, str]) -> None:
    pauses = []
    if row["paused"] != "—":
        start, end = row["paused"].split(" to ")
        pauses = [(_instant(start), _instant(end))]
    due = HOURS[row["hours"]].add(_instant(row["asked"]), _seconds(row["goal"]), pauses)
    assert due.astimezone(BERLIN).strftime(FORMAT) == row["due"]


def test_the_preview() -> None:
    asked = blocks(page("docs/sla.md"), "sh")[0].split("'")[1]
    assert preview_line(asked) == json.loads(blocks(page("docs/sla.md"), "json")[0])


def test_the_demos_promises() -> None:
    rows = table("docs/sla.md", "priority", "12x5", "24x7 Enterprise SLA")
    assert {row["priority"]: _seconds(row["12x5"]) for row in rows} == demo.FIRST_RESPONSE
    assert {row["priority"]: _seconds(row["24x7 Enterprise SLA"]) for row in rows} == demo.FIRST_RESPONSE_24X7


def test_the_explanation() -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=BERLIN)

    found = explain(
        HOURS["12x5"],
        at("2026-04-02T14:00"),
        12 * 3600,
        [(at("2026-04-02T16:00"), at("2026-04-02T18:00"))],
        at("2026-04-07T15:00"),
        HOLIDAYS,
    )
    assert blocks(page("docs/sla.md"), "text")[0].strip() == found.as_text()
