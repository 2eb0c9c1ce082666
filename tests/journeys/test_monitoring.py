"""Monitoring writes: one ticket while a check is in trouble, done when it recovers."""

from datetime import datetime, timedelta

import pytest

from helpdesk.conversations.models import Conversation, Message
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine
from tests.fixtures.mailing import raw_mail
from tests.fixtures.providers import PagerDutyServer

pytestmark = pytest.mark.django_db

NINE = datetime.fromisoformat("2026-01-12T09:00+01:00")
HOSTING = "hosting@demo.example"


def alert(kind: str, number: int) -> bytes:
    state = "CRITICAL" if kind == "PROBLEM" else "OK"
    text = f"***** Nagios *****\n\nNotification Type: {kind}\n\nService: HTTP\nHost: c01-web1\nState: {state}\n"
    subject = f"** {kind} Service Alert: c01-web1/HTTP is {state} **"
    return raw_mail(sender="nagios@mon.example", to=HOSTING, subject=subject, text=text, message_id=f"<n{number}@mon>")


def test_an_alert_opens_repeats_and_recovers(engine: Engine, company: Company, pagerduty: PagerDutyServer) -> None:
    first = engine.receive(alert("PROBLEM", 1), at=NINE, sender="nagios@mon.example", to=HOSTING)
    for number in (2, 3):
        at = NINE + timedelta(minutes=10 * number)
        again = engine.receive(alert("PROBLEM", number), at=at, sender="nagios@mon.example", to=HOSTING)
        assert again.conversation_id == first.conversation_id
    conversation = Conversation.objects.get(pk=first.conversation_id)
    assert conversation.priority == "high" and "c01" in [tag.name for tag in conversation.tags.all()]
    assert conversation.messages.count() == 3
    engine.receive(alert("RECOVERY", 4), at=NINE + timedelta(minutes=40), sender="nagios@mon.example", to=HOSTING)
    conversation.refresh_from_db()
    assert conversation.status == "resolved"
    engine.until(NINE + timedelta(hours=3))
    assert not pagerduty.received, "it recovered before the hour was over"
    assert not Message.objects.filter(kind="outbound").exists(), "machines are not acknowledged"


def test_an_alert_nobody_takes_rings_and_its_recovery_ends_the_page(
    engine: Engine, company: Company, pagerduty: PagerDutyServer
) -> None:
    mail = engine.receive(alert("PROBLEM", 1), at=NINE, sender="nagios@mon.example", to=HOSTING)
    engine.until(NINE + timedelta(hours=1, minutes=1))
    (page,) = pagerduty.alerts
    assert page.status == "triggered"
    engine.receive(alert("RECOVERY", 2), at=NINE + timedelta(hours=2), sender="nagios@mon.example", to=HOSTING)
    assert page.status == "resolved"
    assert not Clock.objects.filter(
        conversation=mail.conversation_id, met_at=None, cancelled_at=None, target="dispatch"
    ).exists()
