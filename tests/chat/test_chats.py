"""What is done in a chat: begun, written, joined, ended, taken up, made a ticket; once, whoever does it at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from chat import chats, saying, visitor_log
from chat.chats import FirstWords
from chat.models import Chat, ChatDue, Visit
from helpdesk.conversations import actions as conversations
from helpdesk.conversations import merging
from helpdesk.conversations.models import Conversation, Message, Status
from helpdesk.customers.models import Customer
from helpdesk.events.actors import CUSTOMER, Actor
from helpdesk.events.models import Event
from tests.chat.continuing import UMA, begin, say, visitor
from tests.fixtures.company import Company

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
pytestmark = pytest.mark.django_db


def numbers(chat: Chat) -> list[int]:
    return [frame["seq"] for frame in visitor_log.after({chat.pk: 0}).get(chat.pk, [])]


def state(chat: Chat) -> tuple[str, str]:
    chat = Chat.objects.get(pk=chat.pk)
    return chat.mode, chat.state


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Each on a thread and a connection of its own."""

    def one(act: Callable[[], Any]) -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(one, acts))


def test_a_live_chat_waits_and_plans_what_is_due(company: Company, at: datetime) -> None:
    chat = begin(visitor(at), "Hello\nthere", at=at)

    assert state(chat) == ("chat", "waiting")
    assert set(ChatDue.objects.values_list("kind", flat=True)) >= {"offer", "half", "most", "late"}
    assert chat.conversation.subject == "Hello"


def test_outside_office_hours_it_is_a_request(company: Company, at: datetime) -> None:
    night = at + timedelta(hours=15)
    chat = begin(visitor(night), "Hello", at=night)

    assert state(chat) == ("ticket", "ended")
    assert not ChatDue.objects.filter(kind="offer").exists()


def test_what_must_be_known_first(company: Company, at: datetime) -> None:
    visit = visitor(at)
    visit.widget.needs_email = True
    with pytest.raises(chats.NeedsAddress):
        begin(visit, "Hello", at=at)
    visit.widget.only_verified = True
    with pytest.raises(chats.SignFirst):
        begin(visit, "Hello", at=at, email="n@cafe.example")
    with pytest.raises(chats.NothingSaid):
        begin(visitor(at), " \x00 ", at=at)
    assert not Conversation.objects.exists()
    assert not Customer.objects.filter(identities__channel="chat").exists()


def test_it_is_joined_once(company: Company, at: datetime) -> None:
    chat = begin(visitor(at), "Hello", at=at)

    assert chats.join(chat.pk, company.grace, at=at + SECOND)
    assert not chats.join(chat.pk, company.grace, at=at + 2 * SECOND)
    assert state(chat) == ("chat", "active")
    assert not ChatDue.objects.filter(kind="offer").exists()
    assert Event.objects.filter(kind="chat.joined").count() == 1
    # A colleague takes it over.
    assert chats.join(chat.pk, company.linus, at=at + 3 * SECOND)
    assert Conversation.objects.get(pk=chat.pk).assignee == company.linus


def test_it_ends_once_and_then_it_is_asked_how_it_was(company: Company, at: datetime) -> None:
    chat = begin(visitor(at), "Hello", at=at)
    chats.join(chat.pk, company.grace, at=at)

    assert chats.end(chat.pk, actor=CUSTOMER, at=at + SECOND)
    assert not chats.end(chat.pk, actor=Actor.agent(company.grace), at=at + SECOND)
    assert Conversation.objects.get(pk=chat.pk).status == Status.RESOLVED
    assert not ChatDue.objects.exclude(kind="mail").exists()
    assert [Event.objects.filter(kind=kind).count() for kind in ("chat.ended", "chat.asked")] == [1, 1]
    assert not chats.join(chat.pk, company.grace, at=at + SECOND)


def test_who_writes_again_soon_takes_it_up(company: Company, at: datetime) -> None:
    visit = visitor(at)
    chat = begin(visit, "Hello", at=at)
    chats.end(chat.pk, actor=CUSTOMER, at=at)

    said = say(visit, chat, "One more thing", at=at + SECOND)

    assert said.chat.pk == chat.pk and state(chat) == ("chat", "waiting")
    assert numbers(chat) == list(range(1, len(numbers(chat)) + 1))
    assert said.seq == numbers(chat)[-1]


def test_who_writes_again_at_night_is_answered_at_leisure(company: Company, at: datetime) -> None:
    visit = visitor(at)
    chat = begin(visit, "Hello", at=at)
    chats.end(chat.pk, actor=CUSTOMER, at=at)

    say(visit, chat, "One more thing", at=at + timedelta(hours=15))

    assert state(chat) == ("ticket", "ended")
    assert Conversation.objects.get(pk=chat.pk).status in (Status.NEW, Status.OPEN)


def test_an_end_that_came_while_a_message_was_on_its_way_is_seen(company: Company, at: datetime) -> None:
    visit = visitor(at)
    stale = chats.chat_of(visit, begin(visit, "Hello", at=at).public_id)
    chats.end(stale.pk, actor=CUSTOMER, at=at)
    assert stale.state == Chat.State.WAITING

    saying._say(visit, stale, "Still there?", uuid4(), (), at + SECOND)

    assert state(stale) == ("chat", "waiting")
    assert ChatDue.objects.filter(kind="offer").exists()


def test_long_after_its_end_a_new_one_begins_once(company: Company, at: datetime) -> None:
    visit = visitor(at, signed=UMA)
    chat = begin(visit, "Hello", at=at)
    chats.end(chat.pk, actor=CUSTOMER, at=at)
    later, cid = at + 14 * DAY, uuid4()

    first = saying.say(visit, chat.public_id, "Again", client_id=cid, at=later)
    again = saying.say(visit, chat.public_id, "Again", client_id=cid, at=later)

    assert first.chat.pk == again.chat.pk != chat.pk
    assert (first.is_repeated, again.is_repeated, Chat.objects.count()) == (False, True, 2)


def test_a_request_done_long_ago_goes_on_in_a_new_one_once(company: Company, at: datetime) -> None:
    visit = visitor(at, signed=UMA)
    chat = begin(visit, "Hello", at=at, leisurely=True)
    done = conversations.Changes(status=Status.RESOLVED)
    conversations.change(chat.pk, done, actor=Actor.agent(company.grace), at=at)
    later, cid = at + 45 * DAY, uuid4()

    first = saying.say(visit, chat.public_id, "Again", client_id=cid, at=later)
    again = saying.say(visit, chat.public_id, "Again", client_id=cid, at=later)

    assert first.chat.pk == again.chat.pk != chat.pk
    assert (first.message_id, first.seq, first.is_repeated) == (again.message_id, again.seq, False)
    assert again.is_repeated and first.chat.conversation.previous_id == chat.pk
    assert Message.objects.filter(kind="inbound").count() == 2


def test_what_is_written_after_a_merge_is_filed_once_and_shows_nothing_of_others(
    company: Company, at: datetime
) -> None:
    visit = visitor(at)
    chat = begin(visit, "Hello", at=at)
    other = begin(visitor(at, signed=UMA), "My secret", at=at)
    merging.merge(chat.pk, other.pk, company.grace, at=at + SECOND)
    cid = uuid4()

    said = [saying.say(visit, chat.public_id, "More", client_id=cid, at=at + 2 * SECOND) for _ in range(2)]

    assert {one.message_id for one in said} == {Message.objects.get(text="More").pk}
    assert {one.chat.pk for one in said} == {chat.pk}
    assert [one.pk for one in chats.chats_of(visit, 10)] == [chat.pk]


def test_it_becomes_a_ticket_once(company: Company, at: datetime) -> None:
    chat = begin(visitor(at), "Hello", at=at)

    assert chats.convert(chat.pk, Actor.agent(company.grace), subject=" Slow site ", at=at)
    assert not chats.convert(chat.pk, Actor.agent(company.grace), subject="Other", at=at)
    assert state(chat) == ("ticket", "ended")
    assert Conversation.objects.get(pk=chat.pk).subject == "Slow site"
    told = visitor_log.after({chat.pk: 0})[chat.pk]
    assert told[-1]["d"]["k"] == "converted" and told[-1]["d"]["number"] == chat.pk


def test_the_same_chat_from_another_session_of_a_customer(company: Company, at: datetime) -> None:
    one, two = visitor(at, signed=UMA), visitor(at, signed=UMA)
    cid = uuid4()
    first = chats.start(one, FirstWords("Hello", cid), at=at)
    again = chats.start(two, FirstWords("Hello", cid), at=at)

    assert again.is_repeated and again.chat.pk == first.chat.pk
    assert [chat.pk for chat in chats.chats_of(two, 10)] == [first.chat.pk]
    stranger = visitor(at)
    assert not chats.is_theirs(stranger, first.chat)
    assert chats.chats_of(stranger, 10) == []


@pytest.mark.django_db(transaction=True)
def test_many_tabs_begin_one_chat(company: Company, at: datetime) -> None:
    number, cid = visitor(at).pk, uuid4()

    def start() -> Any:
        # As each request does, every one has read the session itself.
        return chats.start(Visit.objects.get(pk=number), FirstWords("Hello", cid), at=at)

    said = at_once([start] * 6)

    assert len({one.chat.pk for one in said}) == 1 and sum(not one.is_repeated for one in said) == 1
    assert (Conversation.objects.count(), Message.objects.filter(kind="inbound").count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_what_everybody_says_at_once_is_numbered_without_a_gap(company: Company, at: datetime) -> None:
    visit = visitor(at)
    chat = begin(visit, "Hello", at=at)
    cids = [uuid4() for _ in range(8)]

    def write(cid: Any) -> Callable[[], Any]:
        return lambda: saying.say(visit, chat.public_id, str(cid), client_id=cid, at=at)

    said = at_once([write(cid) for cid in cids * 2])
    at_once([lambda: chats.join(chat.pk, company.grace, at=at), lambda: chats.join(chat.pk, company.grace, at=at)])

    assert len({one.seq for one in said}) == len(cids)
    assert sum(not one.is_repeated for one in said) == len(cids)
    assert numbers(chat) == list(range(1, len(numbers(chat)) + 1))
    assert Event.objects.filter(kind="chat.joined").count() == 1
