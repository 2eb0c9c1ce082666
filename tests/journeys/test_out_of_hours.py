"""Requests while the office is closed: forwarded to the engineer on call, with an honest answer at once."""

import re
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest

from helpdesk.conversations.models import Conversation
from helpdesk.oncall.models import Page
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine, subject_of, text_of
from tests.fixtures.mailing import raw_mail
from tests.fixtures.providers import PagerDutyServer, SlackServer
from tickets import web_form
from tickets.models import Mailbox

pytestmark = pytest.mark.django_db

SATURDAY_NIGHT = datetime.fromisoformat("2026-01-10T23:00+01:00")
MONDAY = datetime.fromisoformat("2026-01-12T08:00+01:00")
FROM_GIL = "Gil Ortega <gil@globex.example>"


def link_in(mail: EmailMessage) -> str:
    found = re.search(r"Acknowledge: (\S+)", text_of(mail))
    assert found is not None
    return found.group(1)


def test_saturday_night_for_enterprise_rings_at_once_and_one_sentence_answers(
    engine: Engine, company: Company, pagerduty: PagerDutyServer
) -> None:
    raw = raw_mail(sender=FROM_GIL, subject="Checkout fails", text="On c02.")
    mail = engine.receive(raw, at=SATURDAY_NIGHT, sender="gil@globex.example")
    (alert,) = pagerduty.alerts
    assert "asks outside office hours" in str(alert.log[0]["payload"])
    (told,) = engine.mails("gil@globex.example")
    assert "The engineer on call has been told about your request and is being called right now" in text_of(told)
    (rings,) = engine.mails("grace@demo.example")

    soon = SATURDAY_NIGHT + timedelta(minutes=4)
    sentence = "I am on it: we fail over to c02-web2, you should be back within half an hour."
    assert engine.post(link_in(rings), soon, {"handling": sentence}) == 200
    answer = engine.mails("gil@globex.example")[-1]
    assert sentence in text_of(answer)
    assert str(answer["From"]).startswith('"Grace Hopper') and answer["In-Reply-To"] == f"<{mail.mail_id}>"
    assert (Page.objects.get().state, alert.status) == ("resolved", "resolved")
    conversation = Conversation.objects.get(pk=mail.conversation_id)
    assert (conversation.assignee, conversation.status) == (company.grace, "open")
    assert Clock.objects.get(conversation=conversation, target="first_response").met_at == soon
    engine.until(MONDAY)
    assert len(engine.mails("grace@demo.example")) == 1 and not engine.mails("ada@demo.example")


def test_saturday_night_for_standard_wakes_nobody_and_opens_mondays_list(
    engine: Engine, company: Company, pagerduty: PagerDutyServer, slack: SlackServer
) -> None:
    mail = engine.receive(raw_mail(), at=SATURDAY_NIGHT)
    (told,) = engine.mails("carol@acme.example")
    assert "nobody is woken for it: it opens our list when we are back on Monday, 12 January 2026, 08:00 CET" in (
        " ".join(text_of(told).split())
    )
    page = Page.objects.get()
    assert (page.urgency, page.state) == ("low", "triggered")
    engine.until(MONDAY - timedelta(minutes=1))
    assert not (pagerduty.received or slack.received or engine.mails("grace@demo.example"))
    assert not engine.mails("ada@demo.example")

    engine.until(MONDAY + timedelta(minutes=59))
    assert [message.text for message in slack.messages] == [page.summary]
    assert [alert.severity for alert in pagerduty.alerts] == ["warning"]
    engine.until(MONDAY + timedelta(hours=1, seconds=2))
    page.refresh_from_db()
    assert (page.urgency, [reason["kind"] for reason in page.reasons]) == ("high", ["after_hours", "dispatch"])
    assert pagerduty.alerts[-1].log[-1]["payload"]["severity"] == "critical"
    assert subject_of(engine.mails("grace@demo.example")[-1]).startswith("[URGENT]")
    assert len({alert.dedup_key for alert in pagerduty.alerts}) == 1
    assert Clock.objects.get(conversation=mail.conversation_id, target="dispatch").breached_at == MONDAY + timedelta(
        hours=1
    )


def test_saturday_afternoon_is_day_but_no_office_day(
    engine: Engine, company: Company, pagerduty: PagerDutyServer, slack: SlackServer
) -> None:
    """Nobody's quiet hours, and still nobody is told before Monday: then of the whole weekend in one list."""
    for number, asked in enumerate(("2026-01-10T15:00+01:00", "2026-01-11T11:30+01:00")):
        raw = raw_mail(subject=f"Question {number}", message_id=f"<weekend-{number}@acme.example>")
        engine.receive(raw, at=datetime.fromisoformat(asked))
        told = " ".join(text_of(engine.mails("carol@acme.example")[number]).split())
        assert "Your request is with the engineer on call, but nobody is woken for it" in told
        assert "when we are back on Monday, 12 January 2026, 08:00 CET" in told
    engine.until(MONDAY - timedelta(seconds=1))
    assert {page.urgency for page in Page.objects.all()} == {"low"}
    assert not (pagerduty.received or slack.received or engine.mails("grace@demo.example"))

    engine.until(MONDAY)
    (digest,) = engine.mails("grace@demo.example")
    assert subject_of(digest) == "2 pages are waiting, 0 of them urgent", "on time: it was meant for now"
    assert all(f"Question {number}" in text_of(digest) for number in range(2))
    assert [alert.severity for alert in pagerduty.alerts] == ["warning"] * 2
    assert len(slack.messages) == 2


@pytest.mark.parametrize("hour", ["2026-01-10T23:00", "2026-01-13T03:00", "2026-01-11T12:00"])
def test_an_urgent_request_of_anybody_rings_at_any_hour(
    engine: Engine, company: Company, pagerduty: PagerDutyServer, hour: str
) -> None:
    Mailbox.objects.filter(address="hosting@demo.example").update(priority="urgent")
    at = datetime.fromisoformat(f"{hour}+01:00")
    engine.receive(raw_mail(to="hosting@demo.example"), at=at, to="hosting@demo.example")
    (alert,) = pagerduty.alerts
    assert alert.severity == "critical" and len(engine.mails("grace@demo.example")) == 1
    assert "is being called right now" in text_of(engine.mails("carol@acme.example")[0])


def test_the_form_at_night_rings_when_the_customer_says_urgent(
    engine: Engine, company: Company, pagerduty: PagerDutyServer
) -> None:
    """What the acknowledgement tells customers to do must be true."""
    from_the_form = {"low": [], "urgent": ["critical"]}
    for priority, rings in from_the_form.items():
        engine.until(SATURDAY_NIGHT)
        submit(priority, SATURDAY_NIGHT)
        engine.work(SATURDAY_NIGHT)
        assert [alert.severity for alert in pagerduty.alerts] == rings


def submit(priority: str, at: datetime) -> None:
    token = web_form.new_token(at - timedelta(minutes=2))
    web_form.submit(
        web_form.Submission("carol@acme.example", "Carol", "Down", "All of it", priority, token, "192.0.2.1"), at=at
    )


def test_good_friday_is_no_office_day(engine: Engine, company: Company, pagerduty: PagerDutyServer) -> None:
    good_friday = datetime.fromisoformat("2026-04-03T10:00+02:00")
    mail = engine.receive(raw_mail(), at=good_friday)
    told = " ".join(text_of(engine.mails("carol@acme.example")[0]).split())
    # Easter Monday is one as well.
    tuesday_eight = datetime.fromisoformat("2026-04-07T08:00+02:00")
    engine.until(tuesday_eight - timedelta(seconds=1))
    # No shifts are planned that far ahead in this story, so the fallback is called.
    assert not pagerduty.received and not engine.mails("ada@demo.example")
    engine.until(tuesday_eight)
    assert [alert.severity for alert in pagerduty.alerts] == ["warning"] and len(engine.mails("ada@demo.example")) == 1
    assert "when we are back on Tuesday, 7 April 2026, 08:00 CEST" in told
    assert "by Tuesday, 7 April 2026, 20:00 CEST (within one business day)" in told
    tuesday_nine = datetime.fromisoformat("2026-04-07T09:00+02:00")
    engine.until(tuesday_nine)
    assert all(alert.severity != "critical" for alert in pagerduty.alerts)
    engine.until(tuesday_nine + timedelta(seconds=2))
    assert pagerduty.alerts[-1].log[-1]["payload"]["severity"] == "critical"
    assert Clock.objects.get(conversation=mail.conversation_id, target="dispatch").breached_at == tuesday_nine


@pytest.mark.parametrize(
    ("asked", "due", "written"),
    [
        ("2026-03-27T18:00+01:00", "2026-03-30T10:00+02:00", "Monday, 30 March 2026, 10:00 CEST"),
        ("2026-10-23T18:00+02:00", "2026-10-26T10:00+01:00", "Monday, 26 October 2026, 10:00 CET"),
    ],
)
def test_a_weekend_on_which_the_clocks_change(
    engine: Engine, company: Company, asked: str, due: str, written: str
) -> None:
    mail = engine.receive(raw_mail(importance="high"), at=datetime.fromisoformat(asked))
    clock = Clock.objects.get(conversation=mail.conversation_id, target="first_response")
    assert clock.due_at == datetime.fromisoformat(due)
    assert f"by {written} (within 4 hours, counted in our office hours)" in text_of(
        engine.mails("carol@acme.example")[0]
    )


def test_enterprise_through_the_night_of_the_change(engine: Engine, company: Company) -> None:
    at = datetime.fromisoformat("2026-03-29T00:00+01:00")
    mail = engine.receive(raw_mail(sender=FROM_GIL, importance="high"), at=at, sender="gil@globex.example")
    clock = Clock.objects.get(conversation=mail.conversation_id, target="first_response")
    assert clock.due_at == datetime.fromisoformat("2026-03-29T05:00+02:00")
    assert "Sunday, 29 March 2026, 05:00 CEST (within 4 hours, around the clock)" in text_of(
        engine.mails("gil@globex.example")[0]
    )
