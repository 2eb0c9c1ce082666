"""Published clients of Statuspage read our page unchanged: one that monitors, and one that asks for everything."""

import importlib
import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from status import incidents
from status.incidents import Opening, Words
from status.models import Incident
from tests.fixtures.company import Company
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db(transaction=True)


def _client(name: str) -> Any:
    """The client's module. Without it the test is skipped, but never where everything must be tested."""
    try:
        return importlib.import_module(name)
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"{name} is not installed: make install-dev")


@pytest.fixture
def outage(company: Company, at: datetime) -> Incident:
    web = component("web14", at)
    words = Words("investigating", "We look.", {web.pk: "major_outage"})
    one = incidents.open_incident(Opening("Disks gone", words), company.ada, at=at)
    words = Words("scheduled", "Restarts.", {web.pk: "under_maintenance"})
    begin = at + timedelta(days=1)
    window = Opening("Kernel", words, "maintenance", scheduled_for=begin, scheduled_until=begin + timedelta(hours=1))
    incidents.open_incident(window, company.ada, at=at)
    over = incidents.open_incident(Opening("Mail was late", Words("investigating", "We look.")), company.ada, at=at)
    incidents.add_update(over, Words("resolved", "It is not."), company.ada, at=at)
    return one


def test_statuspage_prometheus_exporter(
    outage: Incident, live_server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = {"name": "Ours", "url": f"{live_server.url}/status/api/v2/summary.json", "type": "statuspage"}
    services = tmp_path / "services.json"
    services.write_text(json.dumps({"ours": service}))
    monkeypatch.setenv("SERVICES_JSON_PATH", str(services))
    monkeypatch.chdir(tmp_path)
    checker = _client("statuspage_prometheus_exporter.service_checker")

    found = checker.check_status_page_service("ours", service)

    assert found["success"] is True and found["status"] == 0
    (incident,) = found["incident_metadata"]
    assert (incident["id"], incident["name"], incident["impact"]) == (outage.public_id, "Disks gone", "critical")
    assert incident["affected_components"] == ["web14"]
    assert incident["shortlink"].endswith(f"/incidents/{outage.public_id}/")
    (window,) = found["maintenance_metadata"]
    assert (window["name"], window["scheduled_start"]) == ("Kernel", "2026-01-13T08:00:00.000Z")
    assert {"name": "web14", "status": "major_outage", "status_value": 0} in found["component_metadata"]


def test_discordstatus(outage: Incident, live_server: LiveServer) -> None:
    client = _client("discordstatus").DiscordStatus()
    client.base_target = f"{live_server.url}/status/api/v2"

    assert client.status["status"]["indicator"] in ("major", "critical")
    assert client.summary["incidents"][0]["name"] == "Disks gone"
    assert "web14" in [one["name"] for one in client.components["components"]]
    assert [one["name"] for one in client.unresolved_incidents["incidents"]] == ["Disks gone"]
    assert {one["name"] for one in client.all_incidents["incidents"]} == {"Disks gone", "Mail was late"}
    assert [one["name"] for one in client.upcoming_maintenances["scheduled_maintenances"]] == ["Kernel"]
    assert client.active_maintenances["scheduled_maintenances"] == []
    assert len(client.all_maintenances["scheduled_maintenances"]) == 1
