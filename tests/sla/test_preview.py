"""The JSON-lines contract: right answers, and an error for whatever makes no sense."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from django.core.management.base import OutputWrapper
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.management.commands.sla_preview import Command
from helpdesk.sla.preview import MAX_LINE, preview_line

WEEK = {day: [["08:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
BASE: dict[str, Any] = {"timezone": "Europe/Berlin", "week": WEEK, "start": "2026-01-09T19:45:00+01:00"}
GOAL: dict[str, Any] = {**BASE, "goal_minutes": 30}


def ask(**changes: Any) -> dict[str, object]:
    return preview_line(json.dumps({**GOAL, **changes}))


def test_a_goal_is_answered_with_its_deadline() -> None:
    assert ask() == {"due_at": "2026-01-12T07:15:00Z"}


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"start": "2026-01-09T18:30:00Z"}, "2026-01-09T19:00:00Z"),
        (
            {"start": "2026-04-02T14:00:00+02:00", "goal_minutes": 720, "holidays": ["2026-04-03", "2026-04-06"]},
            "2026-04-07T12:00:00Z",
        ),
        ({"goal_minutes": 15.5}, "2026-01-12T07:00:30Z"),
        ({"goal_minutes": 0.00001}, "2026-01-09T18:45:00.000600Z"),
        ({"goal_minutes": 0}, "2026-01-09T18:45:00Z"),
        ({"pauses": [["2026-01-09T18:00:00Z", "2026-01-12T08:00:00Z"]]}, "2026-01-12T08:30:00Z"),
        ({"pauses": None, "holidays": None, "end": None}, "2026-01-12T07:15:00Z"),
        ({"exceptional_days": {"2026-01-10": [["10:00", "11:00"]]}}, "2026-01-10T09:15:00Z"),
        ({"id": 7}, "2026-01-12T07:15:00Z"),
    ],
)
def test_deadlines(changes: dict[str, Any], answer: str) -> None:
    assert ask(**changes) == {"due_at": answer}


@pytest.mark.parametrize(
    ("end", "minutes"),
    [
        ("2026-01-12T07:15:00Z", 30),
        ("2026-01-09T18:46:30Z", 1.5),
        ("2026-01-09T18:45:00Z", 0),
    ],
)
def test_worked_minutes_are_whole_where_they_can_be(end: str, minutes: float) -> None:
    answer = preview_line(json.dumps({**BASE, "end": end}))
    assert answer == {"worked_minutes": minutes}
    assert type(answer["worked_minutes"]) is type(minutes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timezone": "CET"}, "abbreviation"),
        ({"timezone": None}, "time zone"),
        ({"timezone": ["Europe/Berlin"]}, "time zone"),
        ({"week": None}, "week is missing"),
        ({"week": {}}, "ten years"),
        ({"week": []}, "week"),
        ({"week": {"funday": []}}, "unknown weekday"),
        ({"week": {"mon": [["8am", "8pm"]]}}, "time of day"),
        ({"holidays": "2026-04-03"}, "holidays"),
        ({"holidays": ["2026-02-30"]}, "not a date"),
        ({"holidays": ["20260403"]}, "expected dates"),
        ({"holidays": [20260403]}, "expected dates"),
        ({"exceptional_days": []}, "exceptional_days"),
        ({"exceptional_days": {"x": []}}, "expected dates"),
        ({"start": None}, "start is missing"),
        ({"start": "2026-01-09T19:45:00"}, "no offset"),
        ({"start": "2026-01-09"}, "no offset"),
        ({"start": "yesterday"}, "ISO 8601"),
        ({"start": 1767984300}, "ISO 8601"),
        ({"start": "0001-01-01T00:00:00Z"}, "year"),
        ({"start": "9999-12-31T23:59:59Z"}, "year"),
        ({"goal_minutes": -1}, "goal_minutes"),
        ({"goal_minutes": "30"}, "goal_minutes"),
        ({"goal_minutes": True}, "goal_minutes"),
        ({"goal_minutes": 10**300}, "goal_minutes"),
        ({"goal_minutes": [30]}, "goal_minutes"),
        ({"goal_minutes": None}, "either"),
        ({"end": "2026-01-12T07:15:00Z"}, "either"),
        ({"goal_minutes": None, "end": "2026-01-01T07:15:00Z"}, "before start"),
        ({"goal_minutes": None, "end": "2126-01-01T07:15:00Z"}, "ten years"),
        ({"pauses": {}}, "pauses"),
        ({"pauses": [["2026-01-09T18:00:00Z"]]}, "pairs"),
        ({"pauses": [["2026-01-09T18:00:00Z", None]]}, "pauses is missing"),
        ({"pauses": [["2026-01-09T19:00:00Z", "2026-01-09T18:00:00Z"]]}, "ends before"),
        ({"pauses": [["2026-01-09T18:00:00Z", "2199-01-01T00:00:00Z"]]}, "ten years"),
    ],
)
def test_what_makes_no_sense_is_an_error(changes: dict[str, Any], reason: str) -> None:
    answer = ask(**changes)
    assert list(answer) == ["error"]
    assert reason in str(answer["error"])


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n",
        "{",
        "[]",
        "null",
        "7",
        '"x"',
        "\x00",
        "[" * 100_000,
        '{"week":' * 20_000,
        json.dumps(GOAL).replace("30", "NaN"),
        json.dumps(GOAL).replace("30", "Infinity"),
        json.dumps(GOAL).replace("30", "1e999"),
        json.dumps(GOAL).replace("30", "9" * 6000),
        json.dumps({**GOAL, "timezone": "\ud800"}),
        " " * (MAX_LINE + 1) + json.dumps(GOAL),
    ],
)
def test_hostile_lines_are_errors(line: str) -> None:
    answer = preview_line(line)
    assert list(answer) == ["error"]
    assert 0 < len(str(answer["error"])) < 300


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["timezone", "week", "holidays", "exceptional_days", "start", "goal_minutes", "end", "pauses"]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), json_values, min_size=1, max_size=3))
def test_no_value_anywhere_raises(changes: dict[str, Any]) -> None:
    answer = ask(**changes)
    assert len(answer) == 1
    json.dumps(answer, allow_nan=False)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_raises(line: str) -> None:
    assert set(preview_line(line)) == {"error"}


def run_command(monkeypatch: pytest.MonkeyPatch, given_bytes: bytes) -> list[dict[str, object]]:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given_bytes)))
    command = Command()
    command.stdout = OutputWrapper(out)
    command.handle()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_the_command_answers_each_line_once(monkeypatch: pytest.MonkeyPatch) -> None:
    good = json.dumps(GOAL).encode()
    lines = [good, b"{", b"", b"\xff\xfe", b"x" * (3 * MAX_LINE), good]
    answers = run_command(monkeypatch, b"\n".join(lines))
    assert [next(iter(answer)) for answer in answers] == ["due_at", "error", "error", "error", "error", "due_at"]


def test_the_command_answers_nothing_with_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_command(monkeypatch, b"") == []
