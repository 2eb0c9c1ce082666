"""The status page's areas of the settings: components, templates, what comes again, sources of signals, the page."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.customers.models import AuditEntry
from status import pages
from status.models import Component, Incident, IncidentTemplate, MaintenanceSeries, SignalSource, StatusPage
from status.signals import sources
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db
AREAS = ("components", "incident_templates", "maintenance_series", "signals", "status_page")


@pytest.fixture
def admin(company: Company) -> Client:
    client = Client()
    client.force_login(company.ada)
    return client


@pytest.mark.parametrize("area", AREAS)
def test_areas_are_the_admins(admin: Client, company: Company, area: str) -> None:
    assert admin.get(f"/desk/settings/{area}/").status_code == 200
    if area != "status_page":
        assert admin.get(f"/desk/settings/{area}/new/").status_code == 200
    agent = Client()
    agent.force_login(company.grace)
    assert agent.get(f"/desk/settings/{area}/").status_code == 403


def test_components_and_groups_are_made_changed_and_removed(admin: Client, company: Company) -> None:
    base, version = "/desk/settings/components/", pages.version()
    admin.post(f"{base}new/", {"name": "c09", "is_group": "on", "position": "5", "own_state": "operational"})
    group = Component.objects.get(name="c09")
    assert group.is_group and pages.version() > version
    given: dict[str, Any] = {
        "name": "web9", "group": group.pk, "position": "1", "services": "c01-web1.demo.example",
        "own_state": "operational", "shows_uptime": "on", "is_private": "on", "started_on": "2026-01-01",
    }  # fmt: skip
    admin.post(f"{base}new/", given)
    web = Component.objects.get(name="web9")
    assert (web.group, web.is_private, web.services.get().name) == (group, True, "c01-web1.demo.example")
    assert web.spans.get().state == "operational"

    page = admin.get(base).content.decode()
    assert page.index("c09") < page.index("web9") and "Private" in page
    admin.post(f"{base}{web.pk}/", given | {"own_state": "partial_outage", "services": ""})
    web.refresh_from_db()
    assert (web.state, web.services.count()) == ("partial_outage", 0)
    assert AuditEntry.objects.filter(kind="component", action="changed", thing_id=web.pk).exists()

    kept = admin.post(f"{base}{group.pk}/delete/")
    assert kept.status_code == 422 and "web9" in kept.content.decode()
    admin.post(f"{base}{web.pk}/delete/")
    admin.post(f"{base}{group.pk}/delete/")
    assert not Component.objects.filter(name__in=["c09", "web9"]).exists()


def test_a_group_lies_in_no_group(admin: Client) -> None:
    group = Component.objects.filter(is_group=True).earliest("pk")
    given = {"name": "c10", "is_group": "on", "group": group.pk, "position": "0", "own_state": "operational"}
    assert admin.post("/desk/settings/components/new/", given).status_code == 422


def test_templates_fit_their_kind(admin: Client) -> None:
    given = {
        "name": "Disk", "kind": "incident", "title": "Disk full", "status": "identified", "body": "Full.",
        "components": "Mail",
    }  # fmt: skip
    assert admin.post("/desk/settings/incident_templates/new/", given | {"status": "scheduled"}).status_code == 422
    admin.post("/desk/settings/incident_templates/new/", given)
    assert IncidentTemplate.objects.get().components.get().name == "Mail"
    assert admin.post("/desk/settings/incident_templates/new/", given).status_code == 422, "a name is there once"


def test_what_comes_again_is_planned_at_once_and_goes_with_its_series(admin: Client) -> None:
    first = (timezone.localtime() + timedelta(days=2)).replace(hour=2, minute=0)
    given = {
        "name": "Updates", "body": "Servers restart.", "begins": f"{first:%Y-%m-%dT%H:%M}",
        "timezone": "America/New_York", "minutes": "2 h", "how": "FREQ=WEEKLY", "components": "Mail",
        "remind_minutes": "1 h",
    }  # fmt: skip
    base = "/desk/settings/maintenance_series/"
    assert admin.post(f"{base}new/", given).status_code == 302
    made = MaintenanceSeries.objects.get()
    window = made.windows.earliest("scheduled_for")
    assert window.scheduled_for is not None and made.windows.count() > 7
    assert window.scheduled_for.astimezone(ZoneInfo("America/New_York")).hour == 2

    edit = f"{base}{made.pk}/"
    page = admin.get(edit).content.decode()
    assert f'value="{first:%Y-%m-%dT%H:%M}"' in page and 'value="FREQ=WEEKLY" selected' in page
    admin.post(edit, given | {"how": "nth"})
    made.refresh_from_db()
    assert made.rule.startswith("FREQ=MONTHLY;BYDAY=") and made.windows.count() in (2, 3)
    for wrong in ({"how": "own", "rule": "FREQ=SECONDLY"}, {"timezone": "CET"}, {"minutes": "800 h"}):
        assert admin.post(edit, given | wrong).status_code == 422
    never = {"how": "own", "rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}
    assert "never comes true" in admin.post(edit, given | never).content.decode()

    admin.post(f"{edit}delete/")
    assert not MaintenanceSeries.objects.exists() and not Incident.objects.exists()


def test_a_source_shows_its_address_once(admin: Client) -> None:
    given = {"name": "Prometheus", "kind": "alertmanager", "mode": "propose", "holds_seconds": "60"}
    answer = admin.post("/desk/settings/signals/new/", given)
    source = SignalSource.objects.get()
    address = answer.content.decode().partition("/hooks/status/")[2].partition("/")[0]
    assert sources.of_token(address) == source and "no-store" in answer["Cache-Control"]
    assert admin.post("/desk/settings/signals/new/", given).status_code == 422, "a name is there once"

    admin.post(f"/desk/settings/signals/{source.pk}/renewal/")
    assert sources.of_token(address) is None
    admin.post(f"/desk/settings/signals/{source.pk}/", given | {"mode": "open"})
    source.refresh_from_db()
    assert (source.mode, source.is_active) == ("open", False)


def test_the_page_has_words_a_zone_and_a_folder(admin: Client) -> None:
    version, path = pages.version(), "/desk/settings/status_page/"
    assert admin.post(path, {"timezone": "CET"}).status_code == 422
    assert admin.post(path, {"timezone": "Europe/Paris", "export_to": "here"}).status_code == 422
    admin.post(path, {"timezone": "Europe/Paris", "about": "Hello.", "export_to": ""})
    page = StatusPage.objects.get()
    assert (page.timezone, page.about) == ("Europe/Paris", "Hello.") and page.version > version
