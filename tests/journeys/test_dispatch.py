"""The mission's first story: mail at nine, nobody takes it, at ten the pager rings."""

from datetime import datetime, timedelta

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from helpdesk.oncall import paging
from helpdesk.oncall.models import Page
from helpdesk.sla.models import Clock
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine, subject_of, text_of
from tests.fixtures.mailing import raw_mail
from tests.fixtures.providers import PagerDutyServer

pytestmark = pytest.mark.django_db

NINE = datetime.fromisoformat("2026-01-12T09:00+01:00")
TEN = NINE + timedelta(hours=1)
SECOND = timedelta(seconds=1)


def take(conversation_id: int, company: Company, at: datetime) -> None:
    changes = conversations.Changes(assignee=company.linus)
    conversations.change(conversation_id, changes, actor=Actor.agent(company.linus), at=at)


def test_mail_at_nine_nobody_takes_it_and_at_ten_the_pager_rings(
    engine: Engine, company: Company, pagerduty: PagerDutyServer
) -> None:
    mail = engine.receive(raw_mail(text="The site on c01 is slow."), at=NINE)
    conversation = Conversation.objects.get(pk=mail.conversation_id)
    assert (conversation.customer, [tag.name for tag in conversation.tags.all()]) == (company.carol, ["c01"])
    (told,) = engine.mails("carol@acme.example")
    assert "One of us will answer you by Tuesday, 13 January 2026, 09:00 CET (within one business day)" in text_of(told)

    engine.until(TEN)
    assert not pagerduty.alerts and not engine.mails("grace@demo.example")

    engine.until(TEN + 2 * SECOND)
    (alert,) = pagerduty.alerts
    assert (alert.dedup_key, alert.severity) == (paging.conversation_key(conversation.pk), "critical")
    assert [event["event_action"] for event in alert.log] == ["trigger"]
    (rings,) = engine.mails("grace@demo.example")
    assert subject_of(rings).startswith(f"[URGENT] #{conversation.pk} The site is slow")
    assert "Nobody has taken it in time" in text_of(rings)

    take(conversation.pk, company, TEN + timedelta(minutes=3))
    engine.until(TEN + timedelta(minutes=3))
    assert alert.status == "resolved" and [event["event_action"] for event in alert.log] == ["trigger", "resolve"]
    engine.until(TEN + timedelta(hours=5))
    assert len(pagerduty.received) == 2 and not engine.mails("ada@demo.example")
    # It was taken too late, and stays on record so.
    dispatch = Clock.objects.get(conversation=conversation, target="dispatch")
    assert (dispatch.breached_at, dispatch.met_at) == (TEN, TEN + timedelta(minutes=3))


def test_taken_on_the_stroke_of_ten_nobody_is_called(
    engine: Engine, company: Company, pagerduty: PagerDutyServer
) -> None:
    mail = engine.receive(raw_mail(), at=NINE)
    engine.until(TEN)
    take(mail.conversation_id or 0, company, TEN)
    engine.until(TEN + timedelta(hours=2))
    assert not pagerduty.received and not Page.objects.exists()


def test_a_team_is_not_a_person(engine: Engine, company: Company, pagerduty: PagerDutyServer) -> None:
    mail = engine.receive(raw_mail(), at=NINE)
    changes = conversations.Changes(team=Team.objects.get(name="Hosting"), priority="high", tags=["seen"])
    conversations.change(mail.conversation_id or 0, changes, actor=Actor.agent(company.ada), at=NINE)
    conversations.note(mail.conversation_id or 0, company.ada, "Hosting, yours?", at=NINE)
    engine.until(TEN + 2 * SECOND)
    assert len(pagerduty.alerts) == 1


def test_an_answer_takes_it_and_giving_it_back_starts_the_hour_again(
    engine: Engine, company: Company, pagerduty: PagerDutyServer
) -> None:
    mail = engine.receive(raw_mail(), at=NINE)
    conversations.reply(mail.conversation_id or 0, company.grace, "Looking.", at=NINE + timedelta(minutes=50))
    back = NINE + timedelta(minutes=55)
    conversations.change(
        mail.conversation_id or 0, conversations.Changes(assignee=None), actor=Actor.agent(company.grace), at=back
    )
    engine.until(back + timedelta(hours=1))
    assert not pagerduty.alerts
    engine.until(back + timedelta(hours=1) + 2 * SECOND)
    assert len(pagerduty.alerts) == 1


def test_the_first_response_pages_although_somebody_has_it_and_a_late_answer_ends_it(
    engine: Engine, company: Company, pagerduty: PagerDutyServer
) -> None:
    mail = engine.receive(raw_mail(), at=NINE)
    take(mail.conversation_id or 0, company, NINE)
    tomorrow = NINE + timedelta(days=1)
    engine.until(tomorrow)
    assert not pagerduty.alerts
    assert Event.objects.filter(kind="clock.warned", conversation=mail.conversation_id).count() == 1
    engine.until(tomorrow + 2 * SECOND)
    (alert,) = pagerduty.alerts
    assert "The promised first response is overdue" in str(alert.log[0]["payload"])
    late = tomorrow + timedelta(minutes=20)
    conversations.reply(mail.conversation_id or 0, company.linus, "Sorry, here it is.", at=late)
    engine.until(late)
    assert alert.status == "resolved"
    clock = Clock.objects.get(conversation=mail.conversation_id, target="first_response")
    assert (clock.met_at, clock.breached_at) == (late, tomorrow)


def test_both_promises_broken_are_one_page_with_two_reasons(
    engine: Engine, company: Company, pagerduty: PagerDutyServer
) -> None:
    mail = engine.receive(raw_mail(), at=NINE)
    conversations.change(
        mail.conversation_id or 0, conversations.Changes(priority="urgent"), actor=Actor.agent(company.ada), at=NINE
    )
    engine.until(TEN + timedelta(minutes=1))
    page = Page.objects.get()
    assert sorted(reason["kind"] for reason in page.reasons) == ["dispatch", "first_response"]
    assert len({alert.dedup_key for alert in pagerduty.alerts}) == 1
