"""The public pages: what is on them, in whose language, and what is not."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from status import incidents
from status.incidents import Opening, Words
from tests.fixtures.company import Company
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db

PAGES = ("", "history/", "maintenance/", "banner/")
FILES = ("history.atom", "history.rss", "maintenance.ics", "badge.svg")


def test_every_address_answers(company: Company, at: datetime, client: Client) -> None:
    web = component("web14", at)
    states = {web.pk: "major_outage"}
    one = incidents.open_incident(Opening("Disks gone", Words("investigating", "We look.", states)), company.ada, at=at)
    for path in (*PAGES, *FILES, f"incidents/{one.public_id}/", *(f"de/{path}" for path in PAGES)):
        answer = client.get(f"/status/{path}")
        assert answer.status_code == 200, path
        if path not in ("maintenance/", "maintenance.ics", "badge.svg", "de/maintenance/", "history/", "de/history/"):
            assert "Disks gone" in answer.content.decode(), path
