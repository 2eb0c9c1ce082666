"""Who waits in a chat pages on-call in office hours until somebody is there; never two pages for one conversation."""

from datetime import datetime, timedelta

import pytest

from chat import chats
from chat.models import SlackThread
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team
from helpdesk.events.actors import CUSTOMER, Actor
from helpdesk.oncall import paging
from helpdesk.oncall.models import Page, PageDelivery
from tests.chat.continuing import begin, say, visitor, work
from tests.fixtures.company import Company
from tests.fixtures.providers import SlackServer

pytestmark = pytest.mark.django_db

UMA = "uma@umbrella.example"
SECOND = timedelta(seconds=1)


def kinds(page: Page) -> list[str]:
    return [reason["kind"] for reason in page.reasons]


def test_a_chat_that_comes_in_pages_until_an_agent_joins(company: Company, at: datetime) -> None:
    chat = begin(visitor(at, signed=UMA), "Hello?", at=at)
    work(at)
    page = Page.objects.get()
    assert (page.state, page.urgency, kinds(page)) == ("triggered", "high", ["chat_waits"])
    assert chat.visit is not None
    say(chat.visit, chat, "Anybody?", at=at + SECOND)
    work(at + SECOND)
    page.refresh_from_db()
    assert kinds(page) == ["chat_waits"] and page.round == 0, "the same waiting, however often they say so"
    chats.join(chat.pk, company.grace, at=at + 2 * SECOND)
    work(at + 2 * SECOND)
    page.refresh_from_db()
    assert page.state == "resolved" and Page.objects.count() == 1


@pytest.mark.parametrize("how", ["reply", "assign"])
def test_answering_and_taking_it_end_it_as_well(company: Company, at: datetime, how: str) -> None:
    chat = begin(visitor(at, signed=UMA), "Hello?", at=at)
    work(at)
    if how == "reply":
        conversations.reply(chat.pk, company.grace, "Hi", at=at + SECOND)
    else:
        changes = conversations.Changes(assignee=company.grace)
        conversations.change(chat.pk, changes, actor=Actor.agent(company.grace), at=at + SECOND)
    work(at + SECOND)
    assert Page.objects.get().state == "resolved"


def test_who_gives_up_waits_no_more(company: Company, at: datetime) -> None:
    chat = begin(visitor(at, signed=UMA), "Hello?", at=at)
    work(at)
    chats.end(chat.pk, actor=CUSTOMER, at=at + SECOND)
    work(at + SECOND)
    assert Page.objects.get().state == "resolved"
    assert chat.visit is not None
    say(chat.visit, chat, "Still broken", at=at + 60 * SECOND)
    work(at + 60 * SECOND)
    assert [page.state for page in Page.objects.order_by("pk")] == ["resolved", "triggered"], "they are back"


def test_another_reason_of_the_page_outlives_the_waiting(company: Company, at: datetime) -> None:
    chat = begin(visitor(at, signed=UMA), "Hello?", at=at)
    work(at)
    breach = paging.Reason("first_response", "The promised first response is overdue", at)
    paging.trigger(
        paging.conversation_key(chat.pk), breach, urgency="high", summary="x", at=at, conversation_id=chat.pk
    )
    chats.convert(chat.pk, Actor.agent(company.grace), subject="", at=at + SECOND)
    work(at + SECOND)
    page = Page.objects.get()
    assert page.state == "triggered" and kinds(page) == ["chat_waits", "first_response"]


def _told_in_slack(page: Page) -> int:
    return PageDelivery.objects.filter(page=page, channel="slack", action="trigger").count()


def test_where_a_thread_begins_the_page_says_nothing_in_slack_besides(
    slack: SlackServer, company: Company, at: datetime
) -> None:
    chat = begin(visitor(at, signed=UMA), "Hello?", at=at)
    work(at)
    page = Page.objects.get()
    assert SlackThread.objects.filter(chat=chat).exists()
    assert _told_in_slack(page) == 0
    assert page.deliveries.exists(), "whoever is on call is called all the same"

    paging.escalate(page.next_step_at or at)
    assert _told_in_slack(page) == 1, "that nobody came is news"


def test_a_chat_that_has_no_thread_is_told_by_its_page(slack: SlackServer, company: Company, at: datetime) -> None:
    Team.objects.update(is_private=True)
    chat = begin(visitor(at, signed=UMA), "Hello?", at=at)
    Conversation.objects.filter(pk=chat.pk).update(team=Team.objects.first())
    work(at)

    assert not SlackThread.objects.exists()
    assert _told_in_slack(Page.objects.get()) == 1


def test_another_reason_is_told_in_slack(slack: SlackServer, company: Company, at: datetime) -> None:
    elsewhere = paging.Reason("chat_waits", "Uma waits in a chat", at, told_in=("slack",))
    breach = paging.Reason("first_response", "The promised first response is overdue", at)
    alarms = [
        paging.Alarm(dedup_key="one", reason=reason, urgency="high", summary="x") for reason in (elsewhere, breach)
    ]
    pages = paging.trigger_all(alarms, at=at)

    assert _told_in_slack(pages["one"]) == 1


def test_at_night_the_rule_of_the_night_holds_alone(company: Company, at: datetime) -> None:
    night = at + timedelta(hours=14)
    begin(visitor(night, signed=UMA), "Hello?", at=night)
    work(night)
    page = Page.objects.get()
    assert kinds(page) == ["after_hours"]


def test_what_is_left_at_leisure_pages_nobody(company: Company, at: datetime) -> None:
    begin(visitor(at, signed=UMA), "Hello?", at=at, leisurely=True)
    work(at)
    assert not Page.objects.exists()
