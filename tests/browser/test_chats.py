"""An agent's chat in their browser, a visitor over HTTP and the socket's whispers: offered, taken, answered, seen."""

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from chat import chats, dues, passing, presence, visitor_presence, whispers
from chat.models import Chat, ChatAgent
from helpdesk.events import outbox
from helpdesk.sla.models import Calendar
from tests.browser.conftest import Enter
from tests.chat.continuing import say, visitor
from tests.chat.waiting import UMA, chat_of, there
from tests.fixtures.company import Company
from tests.fixtures.receiving import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def always_open(company: Company) -> None:
    """Whatever day it is today."""
    Calendar.objects.update(is_office=False)


def test_a_chat_is_offered_taken_answered_with_enter_and_seen(enter: Enter, company: Company) -> None:
    there(company.grace)
    grace = enter(company.grace, "/desk/chats/")
    expect(grace.locator("#avail .lbl")).to_have_text("Available")
    visit = visitor(now(), signed=UMA)
    chat = Chat.objects.get(pk=chat_of(now()).pk)
    dues.sweep(now())

    expect(grace.locator("#chats")).to_contain_text("Uma Singh")
    expect(grace.locator("#ringing")).to_contain_text("Uma Singh")
    grace.goto(f"/desk/conversations/{chat.pk}/")
    expect(grace.locator("#chat")).to_contain_text("Decline")
    # Keys work and the socket is up; from then on the page is told what the visitor of the chat it shows does.
    expect(grace.locator("#avail .lbl")).to_have_text("Available")
    wait_until(lambda: any(page.conversation == chat.pk for page in presence.everyone()))
    grace.locator("body").press("i")
    expect(grace.locator("#chat")).to_contain_text("Right back")
    expect(grace.locator("#ringing")).to_have_count(0)

    visitor_presence.tell_agents(chat.pk, visitor_presence.Presence(True, now().timestamp()))
    expect(grace.locator("#chat-presence")).to_have_text("online")
    whispers.whisper(chat.pk, whispers.AGENTS, {"t": "typing", "conv": chat.pk, "ttl": 6000})
    expect(grace.locator("#customer-typing")).to_have_text("Uma Singh is typing …")
    # What the page tells of its visitor comes at once, and stays what it is: text.
    visit.widget.sees_pages = True
    tracked = {"name": "Cart <b>filled</b>", "props": {"items": 3}}
    assert passing.track(visit, tracked, at=now(), conversation_id=chat.pk)
    expect(grace.locator("#chat-tracked summary")).to_have_text("On the page: Cart <b>filled</b>")
    expect(grace.locator("#chat-tracked li")).to_have_count(1)
    say(visit, chat, "Are you there?", at=now())
    expect(grace.locator("#thread")).to_contain_text("Are you there?")
    expect(grace.locator("#customer-typing")).to_have_text("")

    text = grace.locator("#text")
    text.press_sequentially("I am,")
    text.press("Shift+Enter")
    text.press_sequentially("and here.")
    text.press("Enter")
    expect(grace.locator(".msg.out")).to_contain_text("and here.")
    outbox.drain(now())
    expect(grace.locator(".msg.out footer")).to_contain_text("Sent")
    head = Chat.objects.get(pk=chat.pk).conversation.last_public_seq
    assert chats.read_by_visitor(chat.pk, head)
    whispers.whisper(chat.pk, whispers.AGENTS, {"t": "read", "conv": chat.pk, "by": "visitor", "upto": head})
    expect(grace.locator(".msg.out footer")).to_contain_text("Seen")

    text.blur()
    grace.locator("body").press("N")
    subject = grace.get_by_label("Subject")
    subject.fill("Site down")
    subject.press("Enter")
    expect(grace.locator("#chat")).to_contain_text("Ticket, answered at leisure")
    assert Chat.objects.get(pk=chat.pk).mode == Chat.Mode.TICKET


def test_one_switches_oneself_away_and_sees_it_everywhere(enter: Enter, company: Company) -> None:
    there(company.grace)
    grace = enter(company.grace, "/desk/")
    state = grace.locator("#avail .lbl")
    expect(state).to_have_text("Available")

    grace.locator("#avail button").click()

    expect(state).to_have_text("Away")
    wait_until(lambda: ChatAgent.objects.get(pk=company.grace.pk).state == "away")
    grace.goto("/desk/chats/")
    expect(grace.locator("#chats")).to_contain_text("You are away")
    expect(grace.locator("#avail .lbl")).to_have_text("Away")
