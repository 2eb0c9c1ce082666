"""/healthz and /metrics: well when it is, and saying what is not when it is not."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings
from pytest_django.fixtures import DjangoAssertNumQueries

from helpdesk.conversations.models import Conversation
from helpdesk.events import outbox
from helpdesk.events.actions import beat
from helpdesk.events.models import Heartbeat, OutboxEntry
from helpdesk.oncall import audit
from helpdesk.oncall.models import Page, PageDelivery
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.pages import page, request
from tickets.models import InboundEmail

LONG_AGO = timedelta(minutes=10)


@pytest.fixture
def company(company: Company) -> Company:
    """With nothing left over from its founding."""
    outbox.drain(timezone.now())
    return company


def findings(client: Client) -> dict[str, Any]:
    answer = client.get("/healthz/paging")
    found: dict[str, Any] = answer.json()["findings"]
    assert answer.status_code == (503 if found else 200)
    return found


@contextmanager
def no_database() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise OperationalError("the database is gone")

    with connection.execute_wrapper(refuse):
        yield


def test_live_asks_nobody(client: Client) -> None:
    assert client.get("/healthz/live").json() == {"status": "ok"}


def test_ready(db: None, client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/healthz/ready")
    assert answer.status_code == 200, "a dead broker is told of, but requests are served"
    assert answer.json() == {"status": "ok", "database": "ok", "migrations": "ok", "broker": "not reached"}
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'tickets'")
    assert client.get("/healthz/ready").status_code == 503
    with no_database():
        answer = client.get("/healthz/ready")
    assert answer.status_code == 503 and answer.json()["database"] == "not reached"


def test_a_fresh_instance_is_well(db: None, client: Client) -> None:
    assert findings(client) == {}
    assert client.get("/healthz/mail").json() == {
        "status": "ok",
        "last_accepted": None,
        "oldest_unfiled": None,
        "quarantined": 0,
    }
    assert client.get("/metrics").status_code == 200


def test_a_request_that_waits_in_time_is_well(company: Company, client: Client) -> None:
    now = timezone.now()
    request(company.carol, now)
    page(at=now)
    for name in (audit.KEEPER, *audit.WORKERS):
        beat(name, at=now)
    assert findings(client) == {}


class TestFindings:
    def test_a_late_clock(self, company: Company, client: Client) -> None:
        request(company.carol, timezone.now())
        Clock.objects.update(wake_at=timezone.now() - LONG_AGO)
        assert findings(client)["clock_late_seconds"] >= 600

    def test_a_late_outbox_entry(self, company: Company, client: Client) -> None:
        request(company.carol, timezone.now())
        OutboxEntry.objects.update(due_at=timezone.now() - LONG_AGO)
        assert findings(client)["outbox_late_seconds"] >= 600

    def test_a_page_given_up(self, company: Company, client: Client) -> None:
        request(company.carol, timezone.now())
        OutboxEntry.objects.filter(handler__endswith="page_outside_hours").update(gave_up_at=timezone.now())
        assert findings(client) == {"pages_given_up": 1}

    def test_a_late_page(self, company: Company, client: Client) -> None:
        page(at=timezone.now())
        PageDelivery.objects.update(due_at=timezone.now() - LONG_AGO)
        Page.objects.update(next_step_at=timezone.now() - LONG_AGO)
        assert findings(client).keys() == {"page_delivery_late_seconds", "escalation_late_seconds"}

    @pytest.mark.parametrize("everything", [True, False])
    def test_a_request_nobody_will_ring_for(self, company: Company, client: Client, everything: bool) -> None:
        request(company.carol, timezone.now())
        clocks = Clock.objects.all() if everything else Clock.objects.filter(target="dispatch")
        clocks.update(cancelled_at=timezone.now(), wake_at=None)
        assert findings(client) == {"unarmed_conversations": 1}

    def test_a_silent_part(self, db: None, client: Client) -> None:
        beat(audit.KEEPER, at=timezone.now() - LONG_AGO)
        beat("sweep_clocks", at=timezone.now() - LONG_AGO)
        assert findings(client).keys() == {"keep_promises_silent_seconds", "sweep_clocks_silent_seconds"}

    def test_no_database(self, db: None, client: Client) -> None:
        with no_database():
            assert findings(client) == {"database": "not reached"}


def test_the_audit_pages_when_it_stays_wrong(company: Company) -> None:
    now = timezone.now()
    request(company.carol, now)
    clocks = Clock.objects.filter(target="dispatch")
    clocks.update(cancelled_at=now, wake_at=None)
    audit.audit(now)
    audit.audit(now + timedelta(seconds=60))
    assert not Page.objects.exists(), "what passes by itself wakes nobody"
    audit.audit(now + timedelta(seconds=125))
    audit.audit(now + timedelta(seconds=185))
    found = Page.objects.get()
    assert (found.dedup_key, found.urgency, len(found.reasons)) == (audit.PAGE_KEY, "high", 1)
    Conversation.objects.update(assignee=company.grace, status="open")
    OutboxEntry.objects.update(done_at=now)
    PageDelivery.objects.update(state="sent")
    audit.audit(now + timedelta(seconds=245))
    found.refresh_from_db()
    assert found.state == "resolved"
    assert Heartbeat.objects.get(name="audit").detail == {"findings": {}, "since": None}


def test_mail_that_is_not_filed(db: None, client: Client) -> None:
    now = timezone.now()

    def accepted(key: str, state: str, age: timedelta) -> None:
        waits = state == "accepted"
        InboundEmail.objects.create(
            source="smtp",
            transport_key=key,
            raw=b"x",
            size=1,
            received_at=now - age,
            state=state,
            due_at=now - age if waits else None,
            settled_at=None if waits else now,
        )

    accepted("a", "quarantined", timedelta(hours=1))
    accepted("b", "accepted", timedelta(minutes=1))
    answer = client.get("/healthz/mail")
    assert (answer.status_code, answer.json()["quarantined"]) == (200, 1)
    accepted("c", "accepted", LONG_AGO)
    InboundEmail.objects.filter(transport_key="b").delete()
    answer = client.get("/healthz/mail")
    assert answer.status_code == 503 and answer.json()["oldest_unfiled"] is not None


def test_metrics(company: Company, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    now = timezone.now()
    request(company.carol, now)
    page(at=now)
    beat(audit.KEEPER, at=now)
    with django_assert_max_num_queries(30):
        text = client.get("/metrics").content.decode()
    numbers = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert numbers["helpdesk_conversations", "new"] == 1
    assert numbers["helpdesk_pages_open", "triggered"] == 1
    assert numbers["helpdesk_page_deliveries_waiting",] == 1
    assert numbers["helpdesk_heartbeat_age_seconds", audit.KEEPER] < 60
    assert numbers["helpdesk_inbound_mail", "quarantined"] == 0
    assert "carol" not in text and "acme" not in text.lower()
    with no_database():
        assert client.get("/metrics").status_code == 503


def test_the_command_tells_what_is_wrong(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("healthcheck")
    assert "paging: ok" in capsys.readouterr().out
    request(company.carol, timezone.now())
    Clock.objects.update(wake_at=timezone.now() - LONG_AGO)
    with pytest.raises(CommandError):
        call_command("healthcheck")
    assert "clock_late_seconds" in capsys.readouterr().out
