"""What agents' pages say and are told about chats over their socket."""

from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now

from chat import dues, handling, nudges, whispers
from chat.models import Chat, ChatAgent
from helpdesk.conversations import promises
from helpdesk.conversations.incoming import lock
from helpdesk.customers.models import Team, User
from tests.chat.agents import Desk, Desks
from tests.chat.waiting import chat_of, there
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(company: Company, monkeypatch: pytest.MonkeyPatch) -> Chat:
    """Grace's; office hours are no matter here."""
    monkeypatch.setattr(promises, "is_outside_office_hours", lambda _at: False)
    chat = chat_of(now())
    handling.take(chat.pk, company.grace, at=now())
    return chat


@pytest.fixture
def whispered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str, dict[str, Any]]]:
    said: list[tuple[int, str, dict[str, Any]]] = []
    monkeypatch.setattr(whispers, "whisper", lambda number, to, frame: said.append((number, to, dict(frame))))
    return said


def _is(name: str) -> Any:
    return lambda frame: frame["t"] == name


def _focused(desks: Desks, user: User, chat: Chat) -> Desk:
    desk = desks.of(user)
    desk.hello()
    desk.say("focus", conv=chat.pk)
    desk.until(lambda frame: frame["t"] == "who" and frame["conv"] == chat.pk)
    return desk


def test_the_welcome_says_whether_one_takes_chats(desks: Desks, company: Company) -> None:
    there(company.grace)
    assert desks.of(company.grace).hello()["chat"] == {"state": "available", "auto": False, "enter": True}
    assert desks.of(company.linus).hello()["chat"]["state"] == "away"
    User.objects.filter(pk=company.ada.pk).update(role=User.Role.VIEWER)
    assert desks.of(company.ada).hello()["chat"] is None


def test_one_says_it_oneself_and_a_key_brings_back_who_was_away_by_itself(desks: Desks, company: Company) -> None:
    there(company.grace)
    grace = desks.of(company.grace)
    grace.hello()

    grace.say("avail", state="away")
    assert grace.until(_is("me"))["state"] == "away"
    ChatAgent.objects.filter(user=company.grace).update(is_auto_away=True)
    grace.say("input")

    assert grace.until(_is("me"))["state"] == "available"
    grace.say("avail", state="nonsense")
    grace.say("avail")
    grace.say("input")


def test_a_closed_page_is_noted(desks: Desks, company: Company) -> None:
    there(company.grace)
    grace = desks.of(company.grace)
    grace.hello()
    before = ChatAgent.objects.get(user=company.grace).connected_at
    grace.close()
    grace_again = desks.of(company.grace)
    grace_again.hello()
    assert before is not None and (ChatAgent.objects.get(user=company.grace).connected_at or before) >= before


def test_what_the_visitor_does_is_seen_by_those_who_have_the_chat_open(
    desks: Desks, company: Company, chat: Chat
) -> None:
    grace, linus = _focused(desks, company.grace, chat), desks.of(company.linus)
    linus.hello()

    whispers.whisper(chat.pk, whispers.AGENTS, {"t": "typing", "conv": chat.pk, "ttl": 6000})
    whispers.whisper(chat.pk, whispers.VISITOR, {"t": "typing", "conv": chat.pk, "secret": True})
    whispers.whisper(chat.pk, whispers.AGENTS, {"t": "vis", "conv": chat.pk, "state": "away"})

    assert grace.until(_is("typing"))["ttl"] == 6000
    assert grace.until(_is("vis"))["state"] == "away"
    handling.hold(chat.pk, company.grace, at=now())
    linus.event("chat.held")
    assert not {"typing", "vis"} & {frame["t"] for frame in linus.said}


def test_whispers_of_private_teams_stay_within(desks: Desks, company: Company, chat: Chat) -> None:
    team = Team.objects.create(name="Secret", is_private=True)
    team.members.add(company.grace)
    linus = _focused(desks, company.linus, chat)
    grace = _focused(desks, company.grace, chat)
    chat.conversation.__class__.objects.filter(pk=chat.pk).update(team=team)
    whispers.whisper(chat.pk, whispers.AGENTS, {"t": "typing", "conv": chat.pk, "ttl": 6000})
    assert grace.until(_is("typing"))
    assert "typing" not in {frame["t"] for frame in linus.said}


def test_the_visitor_sees_an_agent_type_and_read(
    desks: Desks, company: Company, chat: Chat, whispered: list[tuple[int, str, dict[str, Any]]]
) -> None:
    ChatAgent.objects.filter(user=company.grace).update(public_name="Gracie")
    grace = _focused(desks, company.grace, chat)

    grace.say("typing", conv=chat.pk, internal=True)
    grace.say("typing", conv=chat.pk)
    grace.say("typing", conv=chat.pk, off=True)
    grace.say("read", conv=chat.pk, upto=10**9)
    grace.say("read", conv=chat.pk + 1, upto=1)
    grace.say("avail", state="away")
    grace.until(lambda frame: frame["t"] == "me" and frame["state"] == "away")

    head = chat.conversation.__class__.objects.get(pk=chat.pk).last_public_seq
    assert [(to, frame) for number, to, frame in whispered if number == chat.pk and frame["t"] != "queue"] == [
        ("visitor", {"t": "typing", "by": "Gracie", "ttl": 6000}),
        ("visitor", {"t": "typing", "off": True}),
        ("visitor", {"t": "read", "by": "agent", "upto": head}),
    ]
    assert Chat.objects.get(pk=chat.pk).agent_read == head


def test_a_reminder_is_a_frame_and_a_notice_for_its_agent_alone(desks: Desks, company: Company, chat: Chat) -> None:

    grace, linus = desks.of(company.grace), desks.of(company.linus)
    grace.hello()
    linus.hello()
    with transaction.atomic():
        found = Chat.objects.select_related("visit").get(pk=chat.pk)
        found.conversation, found.hold_until = lock(chat.pk), now()
        nudges.back(found, now())

    note = grace.until(_is("note"))
    frame = grace.until(_is("nudge"))

    assert (frame["conv"], frame["kind"]) == (chat.pk, "rightback")
    assert (note["kind"], note["sound"], note["rings"]) == ("chat", "chat", False)
    linus.event("chat.nudged")
    assert not {"nudge", "note"} & {one["t"] for one in linus.said}


def test_an_offer_rings_for_whom_it_is_for(desks: Desks, company: Company, at: datetime) -> None:

    there(company.grace)
    grace, linus = desks.of(company.grace), desks.of(company.linus)
    grace.hello()
    linus.hello()
    chat = chat_of(at)
    assert dues.sweep(now())

    note = grace.until(lambda frame: frame["t"] == "note" and frame["kind"] == "chat")

    assert note["conv"] == chat.pk and note["rings"]
    assert linus.event("chat.offered")["d"]["agents"] == [company.grace.pk]
    assert "chat" not in {frame.get("kind") for frame in linus.said if frame["t"] == "note"}
