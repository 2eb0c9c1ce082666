"""Feeds, calendar and badge: valid, stable in what must be, and safe whatever is typed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from status import badge, incidents
from status.incidents import Opening, Words
from status.maintenance_calendar import Window, calendar
from status.models import Incident
from tests.fixtures.company import Company
from tests.fixtures.status import component

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = '<script>alert("x")</script> & \x0b\x00]]> ѕ \ufffe'.replace("\x00", "")


def _open(company: Company, at: datetime, name: str = HOSTILE, **more: object) -> Incident:
    status = "scheduled" if more else "investigating"
    words = Words(status, f"{HOSTILE}\n\n**We** look.", {component(name[:100], at).pk: "major_outage"})
    return incidents.open_incident(Opening(name, words, **more), company.ada, at=at)  # type: ignore[arg-type]


def _events(content: bytes) -> list[Any]:
    found: Any = Calendar.from_ical(content)
    return list(found.walk("VEVENT"))


def _atom() -> ElementTree.Element:
    answer = Client().get("/status/history.atom")
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(answer.content)


@pytest.mark.django_db
def test_atom_has_what_rfc_4287_wants_and_ids_that_stay(company: Company, at: datetime) -> None:
    one = _open(company, at)
    feed = _atom()
    for name in ("id", "title", "updated", "author", "link"):
        assert feed.find(ATOM + name) is not None, name
    assert {link.get("rel") for link in feed.findall(f"{ATOM}link")} == {"alternate", "self"}
    (entry,) = feed.findall(f"{ATOM}entry")
    for name in ("id", "title", "updated", "published", "link", "summary"):
        assert entry.find(ATOM + name) is not None, name
    assert "&lt;script" in (entry.findtext(f"{ATOM}summary") or "")
    before = entry.findtext(f"{ATOM}id"), entry.findtext(f"{ATOM}updated")

    incidents.add_update(one, Words("resolved", "Over."), company.ada, at=at + timedelta(hours=1))
    (entry,) = _atom().findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == before[0]
    assert entry.findtext(f"{ATOM}updated") == "2026-01-12T09:00:00+00:00" != before[1]

    incidents.correct(one.updates.get(status="resolved"), "Really over.", company.ada, at=at + timedelta(hours=2))
    (entry,) = _atom().findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}updated") == "2026-01-12T10:00:00+00:00"
    assert "Really over." in (entry.findtext(f"{ATOM}summary") or "")


@pytest.mark.django_db
def test_rss_has_what_rss_2_wants(company: Company, at: datetime) -> None:
    one = _open(company, at)
    answer = Client().get("/status/history.rss")
    assert answer["Content-Type"] == "application/rss+xml; charset=utf-8"
    channel = ElementTree.fromstring(answer.content).find("channel")
    assert channel is not None
    assert all(channel.findtext(name) for name in ("title", "link", "description", "lastBuildDate"))
    (item,) = channel.findall("item")
    assert all(item.findtext(name) for name in ("title", "link", "description", "pubDate", "guid"))
    assert one.public_id in (item.findtext("guid") or "")


@pytest.mark.django_db
def test_maintenance_as_a_calendar(company: Company, at: datetime) -> None:
    begin = at + timedelta(days=3)
    one = _open(
        company, at, "Kernel", scheduled_for=begin, scheduled_until=begin + timedelta(hours=2), kind="maintenance"
    )
    (event,) = _events(Client().get("/status/maintenance.ics").content)
    assert event["uid"].startswith(one.public_id)
    assert (event["dtstart"].dt, event["dtend"].dt) == (begin, begin + timedelta(hours=2))
    assert (event["summary"], event["status"]) == ("Kernel", "CONFIRMED")
    first = event["sequence"]

    incidents.add_update(one, Words("completed", "Not needed."), company.ada, at=at + timedelta(hours=1))
    (event,) = _events(Client().get("/status/maintenance.ics").content)
    assert event["status"] == "CANCELLED" and event["sequence"] > first


@given(st.text(max_size=200), st.text(max_size=400))
def test_whatever_is_typed_stays_one_event(summary: str, description: str) -> None:
    at = datetime(2026, 1, 12, tzinfo=UTC)
    window = Window("a@b", 1, at, at, at + timedelta(hours=1), summary, description, "https://x.example/")
    (event,) = _events(calendar([window], name=summary))
    assert event["uid"] == "a@b" and len(event.subcomponents) == 0


@pytest.mark.django_db
def test_the_badge_says_how_it_is(company: Company, at: datetime) -> None:
    fine = Client().get("/status/badge.svg")
    assert fine["Content-Type"] == "image/svg+xml" and b"All systems operational" in fine.content
    _open(company, at)
    assert b"outage" in Client().get("/status/badge.svg").content


@given(st.text(alphabet=st.characters(exclude_categories=["C"]), max_size=60))
def test_a_badge_is_xml_whatever_it_says(words: str) -> None:
    made = ElementTree.fromstring(badge.badge("status", words, "ok"))
    assert made.get("aria-label") == f"status: {words}"
