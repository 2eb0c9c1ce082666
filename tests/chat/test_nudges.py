"""What agents are reminded of, and when; and how a chat ends by silence."""

from datetime import datetime

import pytest

from chat import chats, handling, presence
from chat.models import Chat
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message, Status
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from helpdesk.sla.models import Clock, Target
from tests.chat.continuing import begin, say, visitor
from tests.chat.waiting import MINUTE, SECOND, UMA, all_agents, chat_of, fresh, nudges_of, offers_of, there, until
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_types(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """When the agent typed last; nothing for never."""
    typed: list[datetime] = []
    monkeypatch.setattr(presence, "typed_at", lambda _conversation, _agent: typed[-1] if typed else None)
    return typed


def _clock(chat: Chat) -> Clock:
    return Clock.objects.get(conversation=chat.pk, target=Target.FIRST_RESPONSE)


def _last_words(chat: Chat) -> str:
    return Message.objects.filter(conversation=chat.pk).latest("pk").text


def test_the_promise_of_five_minutes_rings_ever_louder(company: Company, at: datetime) -> None:
    there()
    chat = chat_of(at)
    assert (_clock(chat).due_at or at) - at == 5 * MINUTE

    until(at + 2 * MINUTE)
    assert nudges_of(chat) == []
    until(at + 2.5 * MINUTE)
    assert nudges_of(chat) == ["half"]
    until(at + 4 * MINUTE)
    assert nudges_of(chat) == ["half", "most"]
    most = Event.objects.get(kind="chat.nudged", data__nudge="most")
    assert most.data["agents"] == [company.ada.pk]
    until(at + 5 * MINUTE)

    assert nudges_of(chat) == ["half", "most", "late"]
    said = Message.objects.get(conversation=chat.pk, is_automatic=True)
    assert "longer than we promised" in said.text and UMA in said.text
    assert _clock(chat).met_at is None, "an excuse is no answer"


def test_the_customer_is_told_in_their_language(company: Company, at: datetime) -> None:
    there()
    chat = begin(visitor(at, language="xx"), "Hello?", at=at, name="Ivy")
    until(at + 6 * MINUTE)
    assert "leave us your e-mail address" in _last_words(chat)


def test_half_way_those_who_declined_are_asked_again(company: Company, at: datetime) -> None:
    there(company.grace)
    chat = chat_of(at)
    until(at + 2 * MINUTE)
    assert offers_of(chat) == [company.grace.pk, None]

    until(at + 3 * MINUTE)

    assert offers_of(chat)[2] == company.grace.pk


def test_an_answer_ends_the_ringing(company: Company, at: datetime) -> None:
    there(*all_agents(company))
    chat = chat_of(at)
    conversations.reply(chat.pk, company.grace, "I am here.", at=at + MINUTE)
    until(at + 10 * MINUTE)
    assert set(nudges_of(chat)) <= {"anything"}
    assert fresh(chat).conversation.assignee == company.grace


class TestWaits:
    @pytest.fixture
    def chat(self, company: Company, at: datetime) -> Chat:
        there(company.grace)
        self.visit = visitor(at, signed=UMA)
        chat = begin(self.visit, "My site is down?", at=at)
        handling.take(chat.pk, company.grace, at=at)
        conversations.reply(chat.pk, company.grace, "Which one?", at=at + SECOND)
        until(at + SECOND)
        say(self.visit, chat, "c01", at=at + 10 * SECOND)
        return chat

    def test_after_a_minute_and_a_half(self, company: Company, at: datetime, chat: Chat) -> None:
        until(at + 99 * SECOND)
        assert nudges_of(chat) == []
        until(at + 100 * SECOND)
        assert nudges_of(chat) == ["waits"]
        assert fresh(chat).nudge == "waits"
        told = Event.objects.get(conversation=chat.pk, kind="chat.nudged")
        assert told.data["agents"] == [company.grace.pk] and told.public_seq is None

    def test_not_while_the_agent_types(
        self, company: Company, at: datetime, chat: Chat, nobody_types: list[datetime]
    ) -> None:
        nobody_types.append(at + 95 * SECOND)
        until(at + 124 * SECOND)
        assert nudges_of(chat) == []
        until(at + 125 * SECOND)
        assert nudges_of(chat) == ["waits"]

    def test_then_ever_more_seldom(self, company: Company, at: datetime, chat: Chat) -> None:
        until(at + 60 * MINUTE)
        assert nudges_of(chat) == ["waits"] * 6

    def test_right_back_holds_for_three_minutes_and_keeps_no_promise(
        self, company: Company, at: datetime, chat: Chat
    ) -> None:
        until(at + 100 * SECOND)
        before = set(Clock.objects.filter(conversation=chat.pk, met_at=None).values_list("pk", "due_at"))

        handling.hold(chat.pk, company.grace, at=at + 100 * SECOND)

        assert _last_words(chat) == "I'll check and be right back."
        assert fresh(chat).nudge == "" and fresh(chat).hold_until == at + 280 * SECOND
        open_clocks = Clock.objects.filter(conversation=chat.pk, met_at=None)
        assert set(open_clocks.values_list("pk", "due_at")) == before
        until(at + 279 * SECOND)
        assert nudges_of(chat) == ["waits"]
        until(at + 280 * SECOND)
        assert nudges_of(chat) == ["waits", "back"]

    def test_who_said_to_be_right_back_is_reminded_also_after_an_answer(
        self, company: Company, at: datetime, chat: Chat
    ) -> None:
        conversations.reply(chat.pk, company.grace, "Hello, let me look.", at=at + 10 * SECOND)
        handling.hold(chat.pk, company.grace, at=at + MINUTE)
        until(at + 4 * MINUTE)
        assert nudges_of(chat) == ["back"] and fresh(chat).nudge == "back"
        until(at + 7 * MINUTE)
        assert nudges_of(chat) == ["back"] * 2
        until(at + 12 * MINUTE)
        assert nudges_of(chat) == ["back"] * 2

        conversations.reply(chat.pk, company.grace, "It is up again.", at=at + 12 * MINUTE)
        until(at + 15 * MINUTE)
        assert nudges_of(chat) == ["back", "back", "anything"]

    def test_an_answer_calms(self, company: Company, at: datetime, chat: Chat) -> None:
        until(at + 100 * SECOND)
        conversations.reply(chat.pk, company.grace, "It is up again.", at=at + 110 * SECOND)
        until(at + 200 * SECOND)
        assert nudges_of(chat) == ["waits"] and fresh(chat).nudge == ""

    def test_anything_else_and_then_a_kind_end(self, company: Company, at: datetime, chat: Chat) -> None:
        conversations.reply(chat.pk, company.grace, "It is up again.", at=at + MINUTE)
        until(at + 4 * MINUTE)
        assert nudges_of(chat) == ["anything"] and fresh(chat).nudge == "anything"

        handling.ask_for_more(chat.pk, company.grace, at=at + 5 * MINUTE)
        assert _last_words(chat) == "Is there anything else I can help you with?"
        until(at + 14 * MINUTE)
        assert fresh(chat).state == Chat.State.ACTIVE
        until(at + 15 * MINUTE)

        assert fresh(chat).state == Chat.State.ENDED
        assert "Write again" in _last_words(chat)
        assert Event.objects.filter(conversation=chat.pk, kind="chat.asked").count() == 1
        assert Conversation.objects.get(pk=chat.pk).status == Status.RESOLVED

    def test_silence_alone_ends_it_too(self, company: Company, at: datetime, chat: Chat) -> None:
        conversations.reply(chat.pk, company.grace, "It is up again.", at=at + MINUTE)
        until(at + 14 * MINUTE)
        assert fresh(chat).state == Chat.State.ENDED

    def test_what_was_told_of_the_end_late_does_not_end_what_goes_on(
        self, company: Company, at: datetime, chat: Chat
    ) -> None:
        chats.end(chat.pk, actor=Actor.agent(company.grace), at=at + MINUTE)
        say(self.visit, chat, "Still broken", at=at + MINUTE)
        until(at + MINUTE)
        assert fresh(chat).state == Chat.State.WAITING

    def test_a_word_keeps_it_open(self, company: Company, at: datetime, chat: Chat) -> None:
        conversations.reply(chat.pk, company.grace, "It is up again.", at=at + MINUTE)
        until(at + 4 * MINUTE)
        say(self.visit, chat, "One more thing", at=at + 5 * MINUTE)
        until(at + 5 * MINUTE + SECOND)
        assert fresh(chat).nudge == ""
        until(at + 30 * MINUTE)
        assert fresh(chat).state == Chat.State.ACTIVE and "waits" in nudges_of(chat)

    def test_who_writes_after_the_end_takes_it_up_again(self, company: Company, at: datetime, chat: Chat) -> None:
        chats.end(chat.pk, actor=Actor.agent(company.grace), at=at + MINUTE)
        until(at + MINUTE)
        said = say(self.visit, chat, "Still broken", at=at + 2 * MINUTE)
        until(at + 2 * MINUTE)
        assert said.chat.pk == chat.pk and fresh(chat).state == Chat.State.WAITING
        assert offers_of(chat)[-1] == company.grace.pk, "who knows it is asked first"
