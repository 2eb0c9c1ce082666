"""Mail of a chat leaves once, whoever is killed on the way; transcripts, acknowledgements, and the way back."""

import re
from datetime import datetime, timedelta

import pytest

from chat import chats, continuity, dues, links
from chat.models import Chat, ChatDue
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Message
from helpdesk.events import outbox
from helpdesk.events.models import OutboxEntry
from tests.chat.continuing import MAIL_AFTER, MINUTE, SECOND, UMA, answer, begin, mails, say, visitor, widget, work
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine, text_of
from tests.fixtures.smtp_sink import SmtpSink
from tickets.mail import digests
from tickets.models import Digest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("watching")]


class TestKilledBetween:
    def plan(self, company: Company, umas_chat: Chat, at: datetime) -> None:
        """Everything up to the outbox entry of the mail."""
        conversations.reply(umas_chat.pk, company.grace, "Hello", at=at)
        outbox.drain(at)
        dues.sweep(at + MAIL_AFTER)

    def test_before_the_commit_nothing_is_remembered(
        self, company: Company, umas_chat: Chat, at: datetime, monkeypatch: pytest.MonkeyPatch, engine: Engine
    ) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(continuity, "record", _dies)
            self.plan(company, umas_chat, at + MINUTE)
        assert Chat.objects.get(pk=umas_chat.pk).mailed_upto == 0
        work(at + 10 * MINUTE)
        assert len(mails(engine)) == 1

    def test_between_commit_and_call_it_is_sent_later(
        self, company: Company, umas_chat: Chat, at: datetime, monkeypatch: pytest.MonkeyPatch, engine: Engine
    ) -> None:
        self.plan(company, umas_chat, at + MINUTE)
        with monkeypatch.context() as broken:
            broken.setattr(digests, "_send", _dies)
            outbox.drain(at + 4 * MINUTE)
        assert Digest.objects.get().state == "sending" and not mails(engine)
        work(at + 30 * MINUTE)
        assert len(mails(engine)) == 1 and Digest.objects.get().state == "sent"

    def test_between_call_and_record_it_is_not_sent_again(
        self, company: Company, umas_chat: Chat, at: datetime, monkeypatch: pytest.MonkeyPatch, smtp_sink: SmtpSink
    ) -> None:
        self.plan(company, umas_chat, at + MINUTE)
        with monkeypatch.context() as broken:
            broken.setattr(digests, "_sent", _dies)
            outbox.drain(at + 4 * MINUTE)
        work(at + 30 * MINUTE)
        assert len(smtp_sink.taken) == 1
        message = Message.objects.get(kind="outbound")
        assert message.delivery == "failed" and "may or may not" in message.error

    def test_a_mail_server_that_is_away_is_waited_for(
        self, company: Company, umas_chat: Chat, at: datetime, smtp_sink: SmtpSink
    ) -> None:
        smtp_sink.answers.extend(["451 later"])
        self.plan(company, umas_chat, at + MINUTE)
        work(at + 4 * MINUTE)
        assert not smtp_sink.taken and OutboxEntry.objects.filter(handler="tickets.mail.digests.send").exists()
        work(at + 5 * MINUTE)
        work(at + 20 * MINUTE)
        assert len(smtp_sink.taken) == 1

    def test_two_sweeps_find_one_thing_to_do(
        self, company: Company, umas_chat: Chat, at: datetime, engine: Engine
    ) -> None:
        self.plan(company, umas_chat, at + MINUTE)
        dues.plan(umas_chat.pk, ChatDue.Kind.MAIL, at + 4 * MINUTE)
        work(at + 5 * MINUTE)
        assert len(mails(engine)) == 1


class TestTranscript:
    def test_it_is_mailed_five_times_an_hour_with_a_way_back(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        answer(company, umas_chat, "Hello Uma", at=at + MINUTE)
        conversations.note(umas_chat.pk, company.ada, "secret of the team", at=at + MINUTE)
        for number in range(5):
            assert continuity.mail_transcript(umas_chat, at=at + 2 * MINUTE + number * SECOND) == UMA
        with pytest.raises(continuity.TooOften) as told:
            continuity.mail_transcript(umas_chat, at=at + 3 * MINUTE)
        assert 3500 < told.value.seconds <= 3600
        outbox.drain(at + 3 * MINUTE)
        sent = mails(engine)
        assert len(sent) == 5 == len({mail["Message-ID"] for mail in sent})
        text = text_of(sent[0]).replace("\r\n", "\n")
        assert re.search(r"My site is down\?(.|\n)*Grace, .*:\nHello Uma", text) and "secret" not in text
        assert str(sent[0]["Reply-To"]).startswith("support+") and sent[0]["Auto-Submitted"] == "auto-generated"
        assert Chat.objects.get(pk=umas_chat.pk).mailed_upto == 0, "it says nothing of what was seen"

    def test_without_an_address_there_is_none(self, company: Company, at: datetime) -> None:
        chat = begin(visitor(at), "Hello?", at=at)
        with pytest.raises(continuity.NoAddress):
            continuity.mail_transcript(chat, at=at)

    def test_a_strangers_own_words_are_mailed_to_nobody(self, company: Company, at: datetime) -> None:
        chat = begin(visitor(at), "Buy cheap watches", at=at, email="victim@elsewhere.example", leisurely=True)
        with pytest.raises(continuity.NothingYet):
            continuity.mail_transcript(chat, at=at)


class TestAcknowledgement:
    def test_who_is_in_a_live_chat_gets_none(self, engine: Engine, umas_chat: Chat, at: datetime) -> None:
        assert not mails(engine) and not Message.objects.filter(is_automatic=True).exists()

    def test_who_leaves_a_message_outside_hours_gets_an_honest_one(
        self, engine: Engine, company: Company, at: datetime
    ) -> None:
        night = at + timedelta(hours=14)
        chat = begin(visitor(night, signed=UMA), "Anybody there?", at=night)
        work(night)
        work(night + 5 * MINUTE)
        (sent,) = mails(engine)
        assert f"#{chat.pk}" in text_of(sent) and "office is closed" in text_of(sent)
        assert Message.objects.get(is_automatic=True).via == "email"
        work(night + 30 * MINUTE)
        assert len(mails(engine)) == 1, "what was mailed is not mailed once more as unseen"

    def test_without_an_address_nothing_is_written(self, engine: Engine, company: Company, at: datetime) -> None:
        begin(visitor(at), "Anybody there?", at=at, leisurely=True)
        work(at)
        assert not engine.mails("@") and not Message.objects.filter(is_automatic=True).exists()


class TestLink:
    def test_it_opens_one_conversation_for_thirty_days(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        other = begin(visitor(at, signed=UMA), "Another matter", at=at)
        answer(company, umas_chat, "Hello", at=at + MINUTE)
        work(at + 5 * MINUTE)
        (sent,) = mails(engine)
        found = re.search(r"http\S+/chat/\?key=pk_test#resume=(\S+)", text_of(sent))
        assert found
        visit, token = links.enter(widget(), found.group(1), at=at + timedelta(days=29))
        assert token not in sent.as_string() and not visit.is_verified
        assert [c.pk for c in chats.chats_of(visit, 10)] == [umas_chat.pk]
        with pytest.raises(chats.NotTheirs):
            chats.chat_of(visit, other.public_id)
        say(visit, umas_chat, "Back by the link", at=at + timedelta(days=29))
        assert Message.objects.filter(conversation=umas_chat.pk, text="Back by the link", is_verified=False).exists()
        with pytest.raises(chats.SignFirst):
            begin(visit, "Something else", at=at + timedelta(days=29))
        with pytest.raises(links.BadLink, match="30 days"):
            links.enter(widget(), found.group(1), at=at + timedelta(days=31))

    def test_a_mail_is_the_same_however_often_it_is_rendered(self, umas_chat: Chat, at: datetime) -> None:
        assert len({links.make(umas_chat, at=at) for _ in range(3)}) == 1

    @pytest.mark.parametrize("token", ["", "x", "x" * 5000, "e30:1:x", "e30:x", "\x00"])
    def test_forged_ones_open_nothing(self, company: Company, token: str, at: datetime) -> None:
        with pytest.raises(links.BadLink):
            links.enter(widget(), token, at=at)


def _dies(*_args: object, **_kwargs: object) -> None:
    raise SystemError("the worker was killed here")
