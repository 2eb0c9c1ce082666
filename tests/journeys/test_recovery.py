"""The engine stood still for hours: what fell due meanwhile leaves at once, in due order, said to be late."""

from datetime import datetime, timedelta

import pytest

from helpdesk.conversations.models import Conversation
from helpdesk.oncall import sending
from helpdesk.oncall.models import Page, PageDelivery
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine, subject_of, text_of
from tests.fixtures.mailing import Send, raw_mail
from tests.fixtures.providers import PagerDutyServer

pytestmark = pytest.mark.django_db

NINE = datetime.fromisoformat("2026-01-12T09:00+01:00")
OVERDUE = 60


def test_after_six_hours_of_silence_sixty_pages_leave_in_due_order_as_one_digest(
    engine: Engine,
    company: Company,
    send_mail: Send,
    pagerduty: PagerDutyServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Side by side they may overtake each other on the wire; one by one the order shows.
    monkeypatch.setattr(sending, "AT_ONCE", 1)
    for number in range(OVERDUE):
        raw = raw_mail(subject=f"Question {number:02}", text=f"Number {number}", x_auto_response_suppress="All")
        send_mail(raw, at=NINE + timedelta(seconds=10 * number))
    back = NINE + timedelta(hours=7)
    engine.work(back)

    assert Conversation.objects.count() == Page.objects.count() == OVERDUE
    breached = Clock.objects.filter(target="dispatch", breached_at__isnull=False)
    assert breached.count() == OVERDUE
    told = [int(alert.summary.partition("Question ")[2][:2]) for alert in pagerduty.alerts]
    assert told == list(range(OVERDUE))
    assert all("late by" in alert.summary for alert in pagerduty.alerts)

    digests = engine.mails("grace@demo.example")
    assert len(digests) == 1, "sixty calls in one minute are one message"
    assert f"{OVERDUE} pages are waiting" in subject_of(digests[0]) and "late by 6 h" in subject_of(digests[0])
    body = text_of(digests[0])
    assert body.index("Question 00") < body.index("Question 01") < body.index("Question 40")
    assert not PageDelivery.objects.filter(state="pending").exists()
    engine.work(back + timedelta(minutes=1))
    assert len(engine.mails("grace@demo.example")) == 1 and len(pagerduty.alerts) == OVERDUE
