"""Who is in a conversation is seen by others, as far as they may see the conversation, and goes by itself."""

import time
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.timezone import now

from chat import presence
from chat.presence import Here
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team
from helpdesk.embedded.valkey import start_valkey, stop_valkey
from helpdesk.events import broadcast
from tests.chat.agents import Desks, Frame
from tests.fixtures.company import Company
from tests.fixtures.desk import write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nobody_there() -> None:
    broadcast.shared().delete(presence.KEY)


def _doing(frame: Frame) -> list[tuple[str, str]]:
    return [(agent["name"], agent["do"]) for agent in frame["agents"]]


def test_others_see_who_looks_who_types_and_who_has_left(desks: Desks, company: Company) -> None:
    conversation = write(company.carol, now())
    ada, grace = desks.of(company.ada), desks.of(company.grace)
    ada.hello()
    grace.hello()

    grace.say("focus", conv=conversation.pk)
    seen = ada.until(lambda frame: frame["t"] == "who")
    assert (seen["conv"], _doing(seen)) == (conversation.pk, [("Grace Hopper", "viewing")])
    grace.say("typing", conv=conversation.pk)
    assert _doing(ada.until(lambda frame: frame["t"] == "who")) == [("Grace Hopper", "typing")]
    grace.say("typing", conv=conversation.pk, internal=True)
    assert _doing(ada.until(lambda frame: frame["t"] == "who")) == [("Grace Hopper", "editing")]
    late = desks.of(company.linus)
    assert late.hello()["presence"][0]["conv"] == conversation.pk
    grace.close()
    assert _doing(ada.until(lambda frame: frame["t"] == "who")) == []


def test_a_private_teams_conversation_shows_nobody(desks: Desks, company: Company) -> None:
    hidden, shown = write(company.carol, now()), write(company.gil, now())
    private = Team.objects.create(name="Management", is_private=True)
    Conversation.objects.filter(pk=hidden.pk).update(team=private)
    ada, grace = desks.of(company.ada), desks.of(company.grace)
    ada.hello()
    grace.hello()

    ada.say("focus", conv=hidden.pk)
    ada.until(lambda frame: frame["t"] == "who" and frame["conv"] == hidden.pk)
    ada.say("focus", conv=shown.pk)
    seen = grace.until(lambda frame: frame["t"] == "who")
    assert seen["conv"] == shown.pk
    assert desks.of(company.grace).hello()["presence"] == [{"conv": shown.pk, "agents": seen["agents"]}]

    grace.say("focus", conv=hidden.pk)
    grace.say("focus", conv=shown.pk)
    both = grace.until(lambda frame: frame["t"] == "who")
    assert both["conv"] == shown.pk and len(both["agents"]) == 2


def test_who_looks_is_known_until_they_turn_away(desks: Desks, company: Company) -> None:
    grace = desks.of(company.grace)
    grace.hello()
    grace.say("vis", tab=True)
    _wait(lambda: presence.looking() == {company.grace.pk})
    grace.say("vis", tab=False)
    _wait(lambda: presence.looking() == set())


def test_pages_that_fell_silent_are_gone() -> None:
    presence.put("one", Here(1, "Ada", conversation=7, until=time.time() + 60))
    presence.put("two", Here(2, "Grace", conversation=7, until=time.time() - 1))
    broadcast.shared().hset(presence.KEY, "three", '{"from": "another version"}')
    assert [page.agent for page in presence.everyone()] == [1]
    assert broadcast.shared().hlen(presence.KEY) == 1


def test_without_valkey_events_arrive_and_nobody_is_seen(desks: Desks, company: Company) -> None:
    conversation = write(company.carol, now())
    grace = desks.of(company.grace)
    grace.hello()
    stop_valkey(Path(settings.DATA_DIR))
    try:
        conversations.note(conversation.pk, company.ada, "While it was down.", at=now())
        assert grace.event("note.written")
        late = desks.of(company.linus)
        assert late.hello()["presence"] == []
        late.say("focus", conv=conversation.pk)
        conversations.note(conversation.pk, company.ada, "Still down.", at=now())
        assert late.event("note.written")
        assert presence.looking() == set()
    finally:
        start_valkey(Path(settings.DATA_DIR))


def _wait(condition: object) -> None:
    end = time.monotonic() + 10
    assert callable(condition)
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
