"""Holidays of a calendar by the API: from iCalendar texts and files, and what they do to open clocks."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from helpdesk.conversations import actions as conversations
from helpdesk.events.models import Event
from helpdesk.sla.models import Calendar, Clock
from tests.api.conftest import API, Caller
from tests.fixtures.company import Company
from tests.fixtures.mailing import settle

pytestmark = pytest.mark.django_db


def ical(*days: tuple[str, str]) -> str:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{day}\r\nDTSTART;VALUE=DATE:{day}\r\nSUMMARY:{name}\r\nEND:VEVENT\r\n"
        for day, name in days
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n"


@time_machine.travel("2026-06-01T12:00Z", tick=False)
def test_holidays_from_a_text_and_from_a_file(ada: Caller, company: Company) -> None:
    year = 2027
    calendar = Calendar.objects.get(name="12x5")
    path = f"/calendars/{calendar.pk}/holidays/import/"
    text = ical((f"{year}0810", "Outing"), (f"{year}0811", "Rest"), (f"{year}1225", "Christmas"), ("19990101", "Past"))
    answer = ada("post", path, {"name": "company", "text": text})
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert shown["source"] == "ical:company"
    assert shown["days"] == [
        {"date": f"{year}-08-10", "name": "Outing"},
        {"date": f"{year}-08-11", "name": "Rest"},
        {"date": f"{year}-12-25", "name": "Christmas"},
    ]
    assert shown["added"] == [f"{year}-08-10", f"{year}-08-11"], "Christmas was closed already"
    assert shown["removed"] == [] and shown["calendar"] == ada("get", f"/calendars/{calendar.pk}/").json()
    assert {"date": f"{year}-08-10", "name": "Outing", "source": "ical:company"} in shown["calendar"]["holidays"]
    changed = Event.objects.filter(kind="calendar.changed").latest("pk")
    assert changed.actor == company.ada and changed.data["version"] == shown["calendar"]["version"]
    file = SimpleUploadedFile("company.ics", b"\xef\xbb\xbf" + ical((f"{year}0811", "Rest")).encode())
    again = ada.client.post(f"{API}{path}", {"file": file}, headers=ada.headers)
    assert again.status_code == 200, again.content
    assert again.json()["source"] == "ical:company" and again.json()["added"] == []
    assert again.json()["removed"] == [f"{year}-08-10"]
    calendar.refresh_from_db()
    assert calendar.holidays.filter(feed__source="ical:company").count() == 1


def test_an_import_moves_open_clocks(ada: Caller, company: Company, at: datetime) -> None:
    now = timezone.now()
    conversation = conversations.receive_message(
        conversations.Inbound(channel="form", customer=company.carol, at=now, text="Hello?")
    ).conversation
    clock = Clock.objects.get(conversation=conversation, target="first_response")
    before = clock.due_at
    assert before is not None
    day = f"{before.astimezone(UTC):%Y%m%d}"
    ada("post", f"/calendars/{clock.calendar_id}/holidays/import/", {"text": ical((day, "Closed"))})
    settle(timezone.now())
    clock.refresh_from_db()
    assert clock.due_at is not None and clock.due_at > before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "no calendar"},
        {"text": ["x"]},
        {"text": "x" * 1_000_001},
        {"text": "\x00"},
        {"name": "x" * 101, "text": ical(("20300101", "x"))},
        {"text": ical(("20300101", "x")).replace("20300101", "20301399")},
    ],
    ids=range(8),
)
def test_senseless_feeds_change_nothing(ada: Caller, company: Company, body: dict[str, Any]) -> None:
    calendar = Calendar.objects.get(name="12x5")
    before = calendar.version
    assert ada("post", f"/calendars/{calendar.pk}/holidays/import/", body).status_code == 400
    calendar.refresh_from_db()
    assert calendar.version == before


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"BEGIN:VCALENDAR\r\nX:\x00\r\nEND:VCALENDAR\r\n", b"x" * 5_000_000]
)
def test_senseless_files_are_refused(ada: Caller, company: Company, content: bytes) -> None:
    path = f"{API}/calendars/{Calendar.objects.get(name='12x5').pk}/holidays/import/"
    answer = ada.client.post(path, {"file": SimpleUploadedFile("x.ics", content)}, headers=ada.headers)
    assert answer.status_code == 400 and list(answer.json()) == ["file"]
