"""Who waits in a chat pages on-call in office hours until somebody is there; never two pages for one conversation."""

from datetime import datetime, timedelta

import pytest

from chat import chats
from helpdesk.conversations import actions as conversations
from helpdesk.events.actors import CUSTOMER, Actor
from helpdesk.oncall import paging
from helpdesk.oncall.models import Page
from tests.chat.continuing import begin, say, visitor, work
from tests.fixtures.company import Company

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
    chats.convert(chat.pk, company.grace, subject="", at=at + SECOND)
    work(at + SECOND)
    page = Page.objects.get()
    assert page.state == "triggered" and kinds(page) == ["chat_waits", "first_response"]


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
