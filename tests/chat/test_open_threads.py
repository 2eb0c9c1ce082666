"""News of the conversation that a page has open: sent where all who read it alike are told alike, else asked for."""

import re
from html import unescape

import pytest
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from helpdesk.events.actors import Actor
from tests.chat.agents import Desk, Desks, Frame
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.desk import live_threads

pytestmark = pytest.mark.django_db(transaction=True)


def _cursor(html: str) -> str:
    found = re.search(r'id="cursor"[^>]* data-query="([^"]*)"', html)
    assert found is not None
    return unescape(found.group(1))


def _shows(desk: Desk, user: User, conversation: Conversation, language: str = "en") -> str:
    """Their page shows all of it; up to where."""
    page = logged_in(user).get(f"/desk/conversations/{conversation.pk}/").content.decode()
    _says(desk, conversation, _cursor(page), language)
    return _cursor(page)


def _says(desk: Desk, conversation: Conversation, after: str, language: str = "en") -> None:
    desk.say("thread", conv=conversation.pk, after=after, lang=language)
    # What a page says is done in order, and this is answered.
    desk.say("sync", after=2**40)
    desk.until(lambda frame: frame["t"] == "reset")


def _news(desk: Desk) -> Frame:
    return desk.until(lambda frame: frame["t"] == "news")


def test_notes_come_by_themselves_one_after_the_other(desks: Desks, company: Company) -> None:
    conversation = write(company.carol, now())
    grace, linus = desks.of(company.grace), desks.of(company.linus)
    for desk in (grace, linus):
        desk.hello()
    shown = _shows(grace, company.grace, conversation)
    _shows(linus, company.linus, conversation, language="de")

    conversations.note(conversation.pk, company.ada, "Looks like the cache.", at=now())
    first, in_german = _news(grace), _news(linus)
    conversations.note(conversation.pk, company.ada, "It was the cache.", at=now())
    second = _news(grace)

    assert (first["conv"], first["after"], first["next"]) == (conversation.pk, shown, _cursor(first["html"]))
    assert "Looks like the cache." in first["html"] and "only the team sees this" in first["html"]
    assert "Looks like the cache." in in_german["html"] and "only the team sees this" not in in_german["html"]
    assert second["after"] == first["next"] and "It was" in second["html"] and "Looks like" not in second["html"]


def test_what_changes_more_than_the_thread_is_asked_for(desks: Desks, company: Company) -> None:
    conversation = write(company.carol, now())
    grace = desks.of(company.grace)
    grace.hello()
    shown = _shows(grace, company.grace, conversation)

    changed = conversations.Changes(priority="urgent")
    conversations.change(conversation.pk, changed, actor=Actor.agent(company.ada), at=now())
    told = _news(grace)
    # The page has asked meanwhile, and says how far it goes: news go on from there.
    again = _shows(grace, company.grace, conversation)
    conversations.note(conversation.pk, company.ada, "Now.", at=now())

    assert told == {"t": "news", "conv": conversation.pk} and again != shown
    assert _news(grace)["after"] == again


def test_news_of_private_teams_are_for_those_who_see_them(desks: Desks, company: Company) -> None:
    team = Team.objects.create(name="Management", is_private=True)
    team.members.set([company.linus])
    conversation = write(company.carol, now())
    Conversation.objects.filter(pk=conversation.pk).update(team=team)
    grace, linus = desks.of(company.grace), desks.of(company.linus)
    for desk in (grace, linus):
        desk.hello()
    shown = _shows(linus, company.linus, conversation)
    _says(grace, conversation, shown)

    conversations.note(conversation.pk, company.ada, "Between us.", at=now())
    event = _news(linus)
    write(company.gil, now())
    grace.event("conversation.opened")

    assert "Between us." in event["html"]
    assert "news" not in {frame["t"] for frame in grace.said}


def test_a_cursor_of_nobody_spoils_no_others_news(desks: Desks, company: Company) -> None:
    conversation = write(company.carol, now())
    grace, linus = desks.of(company.grace), desks.of(company.linus)
    for desk in (grace, linus):
        desk.hello()
    _shows(grace, company.grace, conversation)
    _says(linus, conversation, "seq=1&last=1&at=0001-01-01T00:00:00%2B14:00&a=&b=&c=&d=&e=")

    conversations.note(conversation.pk, company.ada, "For all.", at=now())

    assert "html" not in _news(linus) and "For all." in _news(grace)["html"]


def test_pages_are_told_of_what_cannot_be_drawn(
    desks: Desks, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = write(company.carol, now())
    grace = desks.of(company.grace)
    grace.hello()
    _shows(grace, company.grace, conversation)
    monkeypatch.setattr(live_threads, "draw", lambda wanted: 1 / 0)

    conversations.note(conversation.pk, company.ada, "All the same.", at=now())

    assert grace.event("note.written") and _news(grace) == {"t": "news", "conv": conversation.pk}


@pytest.mark.parametrize("after", [1, "x" * 201])
def test_a_cursor_is_a_short_text(desks: Desks, company: Company, after: object) -> None:
    grace = desks.of(company.grace)
    grace.hello()
    grace.say("thread", conv=1, after=after)

    assert grace.closed_with() == 4400
