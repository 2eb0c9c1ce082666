"""Answers that nobody has seen go out by mail, once, whatever dies on the way; and the conversation stays one."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from chat import chats, continuity, visitor_presence
from chat.models import Chat, ChatDue
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events import broadcast
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from tests.chat.continuing import MAIL_AFTER, MINUTE, SECOND, UMA, answer, begin, mails, say, visitor, work
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine, subject_of, text_of
from tests.fixtures.mailing import raw_mail
from tickets.mail import tokens
from tickets.models import Digest, MailHeader, SuspendedAddress

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("watching")]


class TestUnseen:
    def test_what_was_not_seen_is_mailed_once_all_together(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        answer(company, umas_chat, "I look into it.", at=at + MINUTE)
        answer(company, umas_chat, "It was the disk; all is well.", at=at + MINUTE + 60 * SECOND)
        work(at + MINUTE + MAIL_AFTER - SECOND)
        assert not mails(engine)
        work(at + MINUTE + MAIL_AFTER)
        work(at + 9 * MINUTE)
        (sent,) = mails(engine)
        text = text_of(sent)
        assert text.index("I look into it.") < text.index("It was the disk") < text.index("> My site is down?")
        assert subject_of(sent) == f"Re: [#{umas_chat.pk}] My site is down?"
        assert str(sent["From"]) == '"Grace (Demo Hosting Support)" <support@demo.example>'
        assert tokens.in_address(str(sent["Reply-To"])) == tokens.Token(
            "customer", umas_chat.pk, umas_chat.conversation.customer_id
        )
        assert [header.to for header in MailHeader.objects.all()] == [[UMA], [UMA]]
        desk = Client()
        desk.force_login(company.ada)
        shown = desk.get(reverse("tickets:conversation", args=[umas_chat.pk])).content.decode()
        assert shown.count(f"Mailed to {UMA}") == 2 and "2 answers were mailed to" in shown
        assert Event.objects.filter(conversation=umas_chat.pk, kind="mail.sent").count() == 1

    def test_what_was_seen_is_not_mailed(self, engine: Engine, company: Company, umas_chat: Chat, at: datetime) -> None:
        answer(company, umas_chat, "Hello", at=at + MINUTE)
        chats.read_by_visitor(umas_chat.pk, Conversation.objects.get(pk=umas_chat.pk).last_public_seq)
        work(at + 10 * MINUTE)
        assert not mails(engine) and not ChatDue.objects.filter(kind="mail").exists()

    def test_only_what_is_above_the_last_seen_one(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        answer(company, umas_chat, "Seen already", at=at + MINUTE)
        chats.read_by_visitor(umas_chat.pk, Conversation.objects.get(pk=umas_chat.pk).last_public_seq)
        answer(company, umas_chat, "Not seen", at=at + MINUTE + SECOND)
        work(at + 10 * MINUTE)
        (sent,) = mails(engine)
        assert text_of(sent).startswith("Not seen") and "> Seen already" in text_of(sent)

    def test_whoever_has_the_panel_open_is_not_written_to_at_once(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime, watching: set[int]
    ) -> None:
        watching.add(umas_chat.pk)
        answer(company, umas_chat, "Hello", at=at + MINUTE)
        begun = at + MINUTE + MAIL_AFTER
        for passed in range(11):
            work(begun + passed * MINUTE)
            assert len(mails(engine)) == (passed == 10), "after ten minutes they have fallen asleep over it"

    def test_with_redis_dead_watching(
        self, company: Company, umas_chat: Chat, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.undo()
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        monkeypatch.setattr(broadcast, "shared", broadcast.client)
        assert visitor_presence.is_watching(umas_chat.pk) is False

    def test_the_next_answer_is_a_mail_of_its_own_in_the_same_thread(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        answer(company, umas_chat, "One", at=at + MINUTE)
        work(at + 5 * MINUTE)
        answer(company, umas_chat, "Two", at=at + 6 * MINUTE)
        work(at + 10 * MINUTE)
        first, second = mails(engine)
        assert text_of(second).startswith("Two") and "> One" in text_of(second)
        assert second["In-Reply-To"] == first["Message-ID"] == second["References"]

    def test_at_leisure_it_leaves_at_once_and_says_the_number(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        chats.convert(umas_chat.pk, Actor.agent(company.grace), subject="Disk full", at=at + MINUTE)
        work(at + MINUTE)
        (sent,) = mails(engine)
        assert f"request #{umas_chat.pk}" in text_of(sent) and "Disk full" in subject_of(sent)
        answer(company, umas_chat, "We have ordered a disk.", at=at + 2 * MINUTE)
        assert "We have ordered" in text_of(mails(engine)[-1]) and len(mails(engine)) == 2

    def test_files_go_along_and_nothing_tracks(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        files = [File("log.txt", "text/plain", b"disk full")]
        conversations.reply(umas_chat.pk, company.grace, "See the log", at=at + MINUTE, files=files)
        conversations.note(umas_chat.pk, company.ada, "secret of the team", at=at + MINUTE)
        work(at + 5 * MINUTE)
        (sent,) = mails(engine)
        (attached,) = sent.iter_attachments()
        assert attached.get_filename() == "log.txt" and attached.get_content().strip() == "disk full"
        html = sent.get_body(("html",))
        assert html is not None and "<img" not in html.get_content() and "secret" not in sent.as_string()

    def test_in_the_customers_language(self, engine: Engine, company: Company, at: datetime) -> None:
        chat = begin(visitor(at, signed=UMA, language="de-AT"), "Hallo?", at=at)
        chats.convert(chat.pk, Actor.agent(company.grace), subject="", at=at + SECOND)
        work(at + SECOND)
        (sent,) = mails(engine)
        assert sent["Message-ID"]  # its words are translated with the rest of the catalogue

    def test_machines_words_alone_are_no_reason_to_write(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        conversation = Conversation.objects.get(pk=umas_chat.pk)
        conversations.write_automatically(conversation, "Is there anything else?", at=at + MINUTE)
        work(at + 10 * MINUTE)
        assert not mails(engine)

    def test_what_was_split_off_or_taken_back_is_left_out(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        kept = answer(company, umas_chat, "Kept", at=at + MINUTE)
        gone = answer(company, umas_chat, "Gone", at=at + MINUTE)
        Message.objects.filter(pk=gone.pk).delete()
        work(at + 10 * MINUTE)
        (sent,) = mails(engine)
        assert "Kept" in text_of(sent) and "Gone" not in text_of(sent)
        assert Event.objects.get(kind="mail.asked").data["messages"] == [kept.pk]


class TestWithoutAnAddress:
    def test_agents_see_it_and_the_panel_asks_once(self, engine: Engine, company: Company, at: datetime) -> None:
        chat = begin(visitor(at), "Hello?", at=at)
        one = answer(company, chat, "Hi", at=at + MINUTE)
        work(at + 5 * MINUTE)
        answer(company, chat, "Are you there?", at=at + 6 * MINUTE)
        work(at + 10 * MINUTE)
        one.refresh_from_db()
        assert one.remark == "No address: not mailed"
        asked = Event.objects.get(kind="chat.address_asked")
        assert asked.public_seq is not None and not Digest.objects.exists()

        chat = Chat.objects.get(pk=chat.pk)
        continuity.give_address(chat, "jon@new.example", at=at + 11 * MINUTE)
        work(at + 11 * MINUTE)
        (sent,) = mails(engine, "jon@new.example")
        assert "Hi" in text_of(sent) and "Are you there?" in text_of(sent)
        one.refresh_from_db()
        assert one.remark == "" and one.mail_header.to == ["jon@new.example"]

    def test_an_address_is_changed_by_a_stranger_only_and_not_for_ever(
        self, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        with pytest.raises(continuity.KeepsAddress):
            continuity.give_address(umas_chat, "mallory@evil.example", at=at)
        umas_chat.conversation.customer.refresh_from_db()
        assert umas_chat.conversation.customer.email == UMA, "who is vouched for keeps theirs"
        strangers = begin(visitor(at), "Hello?", at=at)
        for number in range(3):
            continuity.give_address(strangers, f"jon{number}@new.example", at=at)
        with pytest.raises(continuity.TooOften):
            continuity.give_address(strangers, "jon9@new.example", at=at)

    def test_a_stranger_is_written_to_where_they_said_and_nobody_else(
        self, engine: Engine, company: Company, at: datetime
    ) -> None:
        chat = begin(visitor(at), "I am Carol", at=at, email="carol@acme.example", leisurely=True)
        answer(company, chat, "Hello Carol", at=at + MINUTE)
        _acknowledgement, sent = mails(engine, "carol@acme.example")
        assert str(sent["To"]) == "carol@acme.example" and sent["Cc"] is None
        assert chat.conversation.customer_id != company.carol.pk


class TestMailIsMail:
    def test_an_answer_by_mail_is_in_the_same_conversation_and_the_thread_goes_on(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        answer(company, umas_chat, "Did it help?", at=at + MINUTE)
        work(at + 5 * MINUTE)
        (sent,) = mails(engine)
        back = raw_mail(
            sender=f"Uma <{UMA}>",
            to=str(sent["Reply-To"]),
            subject=subject_of(sent),
            text="Yes, thank you!",
            message_id="<1@umbrella.example>",
            in_reply_to=str(sent["Message-ID"]),
            references=str(sent["Message-ID"]),
        )
        engine.receive(back, at=at + 6 * MINUTE, sender=UMA, to=str(sent["Reply-To"]))
        assert Conversation.objects.count() == 1
        got = Message.objects.get(kind="inbound", via="email")
        assert (got.conversation_id, got.text, got.is_verified) == (umas_chat.pk, "Yes, thank you!", True)
        assert Event.objects.get(kind="message.received", data__message=got.pk).public_seq is not None

        answer(company, umas_chat, "Glad to hear.", at=at + 7 * MINUTE)
        last = mails(engine)[-1]
        assert "Glad to hear." in text_of(last), "who writes by mail is answered by mail at once"
        assert last["In-Reply-To"] == "<1@umbrella.example>"
        assert str(last["References"]).split() == [str(sent["Message-ID"]), "<1@umbrella.example>"]

        visit = umas_chat.visit
        assert visit is not None
        say(visit, umas_chat, "One more thing, here again", at=at + 8 * MINUTE)
        answer(company, umas_chat, "Yes?", at=at + 9 * MINUTE)
        assert len(mails(engine)) == 2, "they are back in the panel"
        work(at + 15 * MINUTE)
        references = str(mails(engine)[-1]["References"]).split()
        assert references[0] == str(sent["Message-ID"]) and references[-1] == "<1@umbrella.example>"

    def test_a_strangers_own_address_may_answer(self, engine: Engine, company: Company, at: datetime) -> None:
        chat = begin(visitor(at), "Hello?", at=at, email="jon@new.example")
        answer(company, chat, "Hi Jon", at=at + MINUTE)
        work(at + 5 * MINUTE)
        (sent,) = mails(engine, "jon@new.example")
        back = raw_mail(sender="jon@new.example", to=str(sent["Reply-To"]), text="Hi!", subject=subject_of(sent))
        engine.receive(back, at=at + 6 * MINUTE, sender="jon@new.example", to=str(sent["Reply-To"]))
        got = Message.objects.get(via="email", kind="inbound")
        assert got.conversation_id == chat.pk and got.is_verified

    def test_suspended_addresses_are_left_alone_and_it_is_said(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        SuspendedAddress.objects.create(
            address=UMA, until=at + timedelta(days=3), bounced_at=at - MINUTE, reason="no such user", hard_bounces=2
        )
        message = answer(company, umas_chat, "Hello", at=at + MINUTE)
        work(at + 5 * MINUTE)
        message.refresh_from_db()
        assert not mails(engine) and message.delivery == "failed" and "no such user" in message.error
        assert Event.objects.filter(kind="mail.failed").count() == 1
        SuspendedAddress.objects.all().delete()
        conversations.retry(message.pk, company.grace, at=at + 6 * MINUTE)
        work(at + 6 * MINUTE)
        assert len(mails(engine)) == 1, "sent again by hand"

    def test_who_reads_it_in_the_panel_has_it_whatever_became_of_the_mail(
        self, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        SuspendedAddress.objects.create(address=UMA, until=at + timedelta(days=3), bounced_at=at - MINUTE)
        message = answer(company, umas_chat, "Hello", at=at + MINUTE)
        work(at + 5 * MINUTE)
        chats.read_by_visitor(umas_chat.pk, Conversation.objects.get(pk=umas_chat.pk).last_public_seq)
        message.refresh_from_db()
        assert (message.delivery, message.error) == ("delivered", "")

    def test_a_bounce_is_said_on_all_messages_of_the_mail(
        self, engine: Engine, company: Company, umas_chat: Chat, at: datetime
    ) -> None:
        one = answer(company, umas_chat, "One", at=at + MINUTE)
        two = answer(company, umas_chat, "Two", at=at + MINUTE)
        work(at + 5 * MINUTE)
        (sent,) = mails(engine)
        to = str(sent["X-Envelope-From"])
        engine.receive(_bounce(str(sent["Message-ID"]), to), at=at + 6 * MINUTE, sender="", to=to)
        for message in (one, two):
            message.refresh_from_db()
            assert message.delivery == "failed" and "550 no such user" in message.error
        assert SuspendedAddress.objects.get(address=UMA).until is not None
        assert Conversation.objects.count() == 1 and Digest.objects.get().state == "failed"


def _bounce(message_id: str, to: str) -> bytes:
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "Message-ID: <bounce@mx.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThe mail could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {UMA}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {message_id}\r\nSubject: x\r\n\r\nx\r\n--b--\r\n"
    ).encode()
