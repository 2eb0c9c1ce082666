"""The public pages: what is on them, in whose language, and what is not."""

import re
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client

from status import answers, incidents, sections, serving, snapshot
from status.addresses import page_url
from status.incidents import Opening, Words
from status.models import Component, Incident, StatusPage
from tests.fixtures.company import Company
from tests.fixtures.status import component, forget_components

pytestmark = pytest.mark.django_db

PAGES = ("", "history/", "maintenance/", "banner/")
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}'


def _open(company: Company, at: datetime, name: str = "Disks gone", **more: object) -> Incident:
    web = component(f"web of {name}"[:120], at)
    words = Words("scheduled" if more else "investigating", f"We look. {name}", {web.pk: "major_outage"})
    return incidents.open_incident(Opening(name, words, **more), company.ada, at=at)  # type: ignore[arg-type]


def _read(path: str = "", language: str = "en") -> str:
    answer = Client().get(f"/status/{path}", headers={"Accept-Language": language})
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_an_incident_is_where_it_belongs(company: Company, at: datetime) -> None:
    one = _open(company, at)
    for path in ("", "banner/", f"incidents/{one.public_id}/", "history/2026-01/", "history.atom", "history.rss"):
        assert "Disks gone" in _read(path), path
    assert "Disks gone" not in _read("maintenance/")
    begin = at + timedelta(days=1)
    window = _open(
        company, at, "Kernel", kind="maintenance", scheduled_for=begin, scheduled_until=begin + timedelta(hours=1)
    )
    for path in ("", "maintenance/", f"incidents/{window.public_id}/", "maintenance.ics"):
        assert "Kernel" in _read(path), path


@pytest.mark.parametrize("code", [code for code, _name in settings.LANGUAGES])
def test_each_language_has_an_address_and_is_found_for_its_readers(company: Company, at: datetime, code: str) -> None:
    one = _open(company, at)
    for path in (*PAGES, f"incidents/{one.public_id}/", "history/2026-01/"):
        assert f'<html lang="{code}">' in _read(f"{code}/{path}", language="xx")
        assert f'<html lang="{code}">' in _read(path, language=f"{code}-XX,en;q=0.5")


def test_hostile_words_stay_words_on_every_page(company: Company, at: datetime) -> None:
    one = _open(company, at, HOSTILE)
    Component.objects.update(name=HOSTILE[:120], description=HOSTILE)
    StatusPage.objects.update(about=HOSTILE)
    for path in (*PAGES, f"incidents/{one.public_id}/", "history/2026-01/", "badge.svg"):
        page = _read(path)
        assert "<script>alert" not in page and "<img src=x" not in page, path
    assert "{{ 7*7 }}" in _read(f"incidents/{one.public_id}/")


def test_nothing_inline_and_nothing_from_elsewhere(company: Company, at: datetime) -> None:
    one = _open(company, at)
    for path in (*PAGES, f"incidents/{one.public_id}/"):
        page = _read(path)
        assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", page), path
        # Other languages are named by whole addresses, for search engines; nothing is loaded from there.
        loaded = re.sub(rf'<link rel="alternate" hreflang="[a-z]+" href="{re.escape(page_url())}/[^"]*">', "", page)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', loaded), path


def test_only_the_banner_may_be_embedded() -> None:
    for path in ("", "history/"):
        assert "frame-ancestors 'self'" in Client().get(f"/status/{path}")["Content-Security-Policy"]
    banner = Client().get("/status/banner/")
    assert "frame-ancestors *" in banner["Content-Security-Policy"] and "X-Frame-Options" not in banner
    assert "<script" not in banner.content.decode()


def test_old_incidents_and_months_are_read_when_asked_for(company: Company, at: datetime) -> None:
    first = _open(company, at - timedelta(days=300), "The first")
    incidents.add_update(first, Words("resolved", "Over."), company.ada, at=at - timedelta(days=299))
    for number in range(snapshot.RECENT + 5):
        words = Words("investigating", "We look.")
        one = incidents.open_incident(Opening(f"Trouble {number}", words), company.ada, at=at - timedelta(days=2))
        incidents.add_update(one, Words("resolved", "Over."), company.ada, at=at)
    assert "The first" not in str(snapshot.take(at).recent)
    assert "The first" in _read(f"incidents/{first.public_id}/")
    assert "The first" in _read("history/2025-03/")
    assert len(re.findall("<article", _read("history/2026-01/"))) == snapshot.RECENT + 5
    assert 'history/2025-03/"' in _read("history/")


@pytest.mark.parametrize(
    "path",
    [
        "history/2031-01/", "history/2019-01/", "history/2026-13/", "history/0000-00/", "history/9999-12/",
        "incidents/zzzzzzzzzzzz/", "incidents/short/", "it/", "api/v2/nothing.json", "api/v2/../summary.json",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404(company: Company, at: datetime, path: str) -> None:
    _open(company, at)
    assert Client().get(f"/status/{path}").status_code == 404


def test_an_open_incident_without_components_is_not_all_fine(company: Company, at: datetime) -> None:
    forget_components()
    assert "All systems operational" in _read()
    incidents.open_incident(Opening("Something odd", Words("investigating", "We look.")), company.ada, at=at)
    page = _read()
    assert "All systems operational" not in page and "We are looking into a problem" in page


def test_only_if_degraded_and_empty_groups_hide(company: Company, at: datetime) -> None:
    forget_components()
    group = component("quiet group", at, is_group=True)
    web = component("quiet web", at, group=group, only_if_degraded=True)
    assert "quiet" not in _read()
    words = Words("investigating", "We look.", {web.pk: "degraded_performance"})
    incidents.open_incident(Opening("Slow", words), company.ada, at=at)
    assert "quiet web" in _read() and "quiet group" in _read()


def test_a_repeated_status_is_an_update(company: Company, at: datetime) -> None:
    one = _open(company, at)
    incidents.add_update(one, Words("investigating", "Still."), company.ada, at=at + timedelta(minutes=5))
    page = _read(f"incidents/{one.public_id}/")
    assert page.index("<strong>Update</strong>") < page.index("<strong>Investigating</strong>")


def test_quiet_days_stand_together(company: Company, at: datetime) -> None:
    one = _open(company, at - timedelta(days=5))
    incidents.add_update(one, Words("resolved", "Over."), company.ada, at=at - timedelta(days=5))
    days = sections.past_days(snapshot.take(at))
    assert [(day.on - day.since).days for day in days] == [4, 0, 7]
    assert [len(day.incidents) for day in days] == [0, 1, 0]


@pytest.mark.parametrize("accept", ["", "*", ";", "de;q=0", "x" * 10_000, "de" * 5000, "pt-BR;q=abc", "\x00"])
def test_whatever_a_browser_says_of_languages_there_is_one(accept: str) -> None:
    assert serving.language_of(accept, "en") in ("en", "de", "pt")


@pytest.mark.parametrize("path", ["\n", "de/\n", "history/2026-01/x", "a" * 9000, "../", "de/de/", "api/v2/x.json"])
def test_addresses_that_are_none(path: str) -> None:
    assert answers.parse(path) is None
