"""Mail on its way out, over real SMTP: what it says, whom it comes back to, and that each message leaves once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import answers
from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Message
from helpdesk.customers.models import Customer
from helpdesk.events.models import Event, OutboxEntry
from tests.fixtures.company import Company
from tests.fixtures.mailing import Send, raw_mail, settle
from tests.fixtures.notices import nobody_listens
from tests.fixtures.smtp_sink import SmtpSink
from tickets.mail import composing, tokens
from tickets.models import Mailbox, MailThread, SuspendedAddress

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(company: Company, send_mail: Send, at: datetime) -> int:
    """A conversation of Carol's that was not acknowledged: only what the test writes leaves."""
    mail = send_mail(raw_mail(message_id="<first@acme.example>", x_auto_response_suppress="All"), at=at)
    assert mail.conversation_id is not None
    settle(at)
    return mail.conversation_id


def reply(company: Company, conversation_id: int, at: datetime, text: str = "On it.", **more: Any) -> Message:
    message = conversations.reply(conversation_id, company.grace, text, at=at, **more)
    settle(at)
    message.refresh_from_db()
    return message


def state(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.delivery, message.error


class TestTheMail:
    def test_who_it_is_from_and_who_may_answer(
        self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink
    ) -> None:
        message = reply(company, asked, at)
        assert message.delivery == "sent", message.error
        (taken,) = smtp_sink.taken
        assert taken.mail_from == f"bounce+{tokens.make('message', message.pk)}@demo.example"
        assert taken.rcpt_to == ("carol@acme.example",)
        mail = taken.mail
        assert str(mail["From"]) == '"Grace Hopper (Demo Hosting Support)" <support@demo.example>'
        assert mail["Reply-To"] == f"support+{tokens.make('customer', asked, company.carol.pk)}@demo.example"
        assert mail["Date"].datetime == at
        assert mail["X-Helpdesk-Instance"] == tokens.instance_id()
        assert mail["Auto-Submitted"] is None and mail["Precedence"] is None

    def test_plain_and_html_say_the_same(self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink) -> None:
        Mailbox.objects.update(signature="Demo Hosting\n<Berlin>")
        reply(company, asked, at, "See https://kb.example/?a=1&b=2\n\n<b>Grüße</b>")
        mail = smtp_sink.taken[0].mail
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert text is not None and html is not None
        assert text.get_content().splitlines() == [
            *("See https://kb.example/?a=1&b=2", "", "<b>Grüße</b>", "", "-- ", "Demo Hosting", "<Berlin>"),
        ]
        assert '<a href="https://kb.example/?a=1&amp;b=2">' in html.get_content()
        assert "&lt;b&gt;Grüße&lt;/b&gt;" in html.get_content() and "&lt;Berlin&gt;" in html.get_content()

    def test_files_go_along(self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink) -> None:
        files = [
            File("Überblick.pdf", "application/pdf", b"%PDF-1.4 x"),
            File("a\r\nBcc: eve@evil.example.txt", "text/plain", b"\xff\xfe not utf-8"),
            File("what", "nonsense", b".\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n"),
        ]
        assert reply(company, asked, at, files=files).delivery == "sent"
        attached = list(smtp_sink.taken[0].mail.iter_attachments())
        assert [part.get_filename() for part in attached] == ["Überblick.pdf", "a Bcc: eve@evil.example.txt", "what"]
        assert [part.get_payload(decode=True) for part in attached] == [file.content for file in files]

    def test_the_thread_holds_in_mail_programs(
        self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink, send_mail: Send
    ) -> None:
        reply(company, asked, at)
        first = smtp_sink.taken[-1].mail
        assert (first["In-Reply-To"], first["References"]) == ("<first@acme.example>",) * 2
        again = raw_mail(text="And now?", message_id="<second@acme.example>", in_reply_to=str(first["Message-ID"]))
        assert send_mail(again, at=at + timedelta(hours=1)).conversation_id == asked
        away = raw_mail(
            subject="Out of office",
            text="away",
            message_id="<away@acme.example>",
            in_reply_to=str(first["Message-ID"]),
            auto_submitted="auto-replied",
        )
        send_mail(away, at=at + timedelta(hours=1))
        for hours in (2, 3):
            reply(company, asked, at + timedelta(hours=hours))
        second, third = [taken.mail for taken in smtp_sink.taken if taken.rcpt_to == ("carol@acme.example",)][1:]
        assert second["In-Reply-To"] == third["In-Reply-To"] == "<second@acme.example>"
        assert second["References"].split()[0] == "<first@acme.example>"
        assert first["Message-ID"] in second["References"].split()
        assert second["Message-ID"] in third["References"].split()
        assert {m["Subject"] for m in (first, second, third)} == {f"Re: [#{asked}] The site is slow"}

    def test_an_endless_thread_keeps_its_beginning_and_its_end(self) -> None:
        ids = [f"m{number}@acme.example" for number in range(200)]
        headers = composing.Thread(ids, "m7@acme.example").headers()
        references = headers["References"].split()
        assert headers["In-Reply-To"] == references[-1] == "<m7@acme.example>"
        assert references[0] == "<m0@acme.example>" and references[-2] == "<m199@acme.example>"
        assert len(references) == composing.MAX_REFERENCES

    @pytest.mark.parametrize(
        "hostile", ["a b@x", "a>\r\nBcc: eve@evil.example", "é@x", "x" * 900, "<x@y>", "", "\x00@x"]
    )
    def test_ids_strangers_made_up_do_no_harm(self, hostile: str) -> None:
        assert composing.Thread([hostile], hostile).headers() == {}
        assert composing.Thread(["a@b", hostile], hostile).headers()["References"] == "<a@b>"

    def test_a_conversation_that_did_not_begin_by_mail(
        self, company: Company, at: datetime, smtp_sink: SmtpSink
    ) -> None:
        asked = conversations.Inbound(channel="form", customer=company.carol, at=at, subject="", text="please")
        opened = conversations.receive_message(asked)
        reply(company, opened.conversation_id, at)
        mail = smtp_sink.taken[0].mail
        assert str(mail["Subject"]) == f"Re: [#{opened.conversation_id}] Your request"
        assert mail["References"] is None and mail["In-Reply-To"] is None

    def test_hostile_names_and_subjects_stay_in_their_header(
        self, company: Company, at: datetime, smtp_sink: SmtpSink, send_mail: Send
    ) -> None:
        subject = "Grüße\r\nBcc: eve@evil.example " + "lang " * 300
        asked = conversations.Inbound(channel="email", customer=company.carol, at=at, subject=subject, text="x")
        opened = conversations.receive_message(asked)
        company.grace.name = 'Grace "Ŝtelistino" Hopper\r\nBcc: eve@evil.example, <x@y>'
        company.grace.save()
        assert reply(company, opened.conversation_id, at).delivery == "sent"
        (taken,) = smtp_sink.taken
        assert taken.rcpt_to == ("carol@acme.example",)
        assert taken.mail["Bcc"] is None
        assert [a.addr_spec for a in taken.mail["From"].addresses] == ["support@demo.example"]
        assert taken.mail["From"].addresses[0].display_name.startswith('Grace "Ŝtelistino" Hopper Bcc:')
        written = str(taken.mail["Subject"]).strip()
        assert written.startswith(f"Re: [#{opened.conversation_id}] Grüße Bcc: eve@evil.example lang")
        assert len(written) <= composing.MAX_SUBJECT + 20
        head = taken.raw.split(b"\r\n\r\n")[0]
        assert head.isascii() and max(map(len, head.split(b"\r\n"))) < 998

    def test_dots_and_long_lines_arrive_as_written(
        self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink
    ) -> None:
        text = ".\n..\n.hidden\n" + "ä" * 3000
        reply(company, asked, at, text)
        body = smtp_sink.taken[0].mail.get_body(("plain",))
        assert body is not None and body.get_content().splitlines() == text.splitlines()

    def test_those_in_copy_read_answers_but_no_automatic_mail(
        self, company: Company, at: datetime, smtp_sink: SmtpSink, send_mail: Send
    ) -> None:
        mail = send_mail(raw_mail(cc="Bob <bob@acme.example>, info@demo.example"), at=at)
        settle(at)
        reply(company, mail.conversation_id or 0, at)
        assert [taken.rcpt_to for taken in smtp_sink.taken] == [
            ("carol@acme.example",),
            ("carol@acme.example", "bob@acme.example"),
        ]

    def test_an_address_nobody_reads_is_answered_where_it_says(
        self, company: Company, at: datetime, smtp_sink: SmtpSink, send_mail: Send
    ) -> None:
        raw = raw_mail(sender="Shop <no-reply@shop.example>", reply_to="Visitor <vera@mail.example>")
        mail = send_mail(raw, at=at, mail_from="no-reply@shop.example")
        reply(company, mail.conversation_id or 0, at)
        assert smtp_sink.taken[-1].rcpt_to == ("vera@mail.example",)


class TestOnce:
    def test_a_temporary_refusal_is_tried_again(
        self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink
    ) -> None:
        smtp_sink.refusals["carol@acme.example"] = "450 4.2.1 greylisted, come back"
        message = reply(company, asked, at)
        assert message.delivery == "pending"
        assert "450 4.2.1 greylisted, come back" in message.error
        smtp_sink.refusals.clear()
        settle(at + timedelta(seconds=4))
        assert state(message)[0] == "pending"
        settle(at + timedelta(seconds=6))
        assert state(message) == ("sent", "")
        assert (len(smtp_sink.taken), message.attempts) == (1, 2)

    @pytest.mark.parametrize("where", ["rcpt", "data"])
    def test_a_final_refusal_is_told_in_the_servers_words(
        self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink, where: str
    ) -> None:
        if where == "rcpt":
            smtp_sink.refusals["carol@acme.example"] = "550 5.1.1 no such user here"
        else:
            smtp_sink.answers.append("554 5.7.1 no such user here, and spam")
        message = reply(company, asked, at)
        assert message.delivery == "failed"
        assert "no such user here" in message.error
        failed = Event.objects.get(kind="message.failed")
        assert failed.data["message"] == message.pk
        settle(at + timedelta(days=3))
        assert not smtp_sink.taken

    def test_a_mail_server_that_is_away_is_waited_for(
        self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink, settings: Settings
    ) -> None:
        port, settings.EMAIL_PORT = settings.EMAIL_PORT, int(nobody_listens().rpartition(":")[2])
        message = reply(company, asked, at)
        assert message.delivery == "pending" and "not reached" in message.error
        # A whole night, looked at every half hour.
        for half_hours in range(1, 20):
            settle(at + timedelta(minutes=30 * half_hours))
        assert state(message)[0] == "pending"
        settings.EMAIL_PORT = port
        settle(at + timedelta(hours=10))
        assert state(message) == ("sent", "")

    def test_a_server_that_never_comes_back_is_told(
        self, company: Company, asked: int, at: datetime, settings: Settings, smtp_sink: SmtpSink
    ) -> None:
        port, settings.EMAIL_PORT = settings.EMAIL_PORT, int(nobody_listens().rpartition(":")[2])
        message = reply(company, asked, at)
        Message.objects.filter(pk=message.pk).update(attempts=answers.MAX_ATTEMPTS - 1)
        settle(at + timedelta(hours=1))
        assert state(message)[0] == "failed"
        settings.EMAIL_PORT = port
        conversations.retry(message.pk, company.ada, at=at + timedelta(hours=2))
        settle(at + timedelta(hours=2))
        assert state(message) == ("sent", "")

    def test_cut_before_anything_left_it_is_sent_again(
        self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink
    ) -> None:
        smtp_sink.cut_at_rcpt = 1
        message = reply(company, asked, at)
        assert message.delivery == "pending"
        settle(at + timedelta(minutes=1))
        assert state(message)[0] == "sent"
        assert len(smtp_sink.taken) == 1

    @pytest.mark.parametrize(("answer", "taken"), [("cut", 0), ("taken, then cut", 1)])
    def test_cut_around_the_final_dot_it_is_never_sent_twice_by_itself(
        self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink, answer: str, taken: int
    ) -> None:
        smtp_sink.answers.append(answer)
        message = reply(company, asked, at)
        assert message.delivery == "failed"
        assert "may or may not have left" in message.error
        settle(at + timedelta(days=3))
        assert len(smtp_sink.taken) == taken
        conversations.retry(message.pk, company.grace, at=at)
        settle(at)
        assert state(message) == ("sent", "")
        assert len({t.mail["Message-ID"] for t in smtp_sink.taken}) == 1

    def test_stopped_between_call_and_record_with_a_mail_server(
        self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink
    ) -> None:
        message = conversations.reply(asked, company.grace, "On it.", at=at)
        Message.objects.filter(pk=message.pk).update(delivery="sending")
        settle(at)
        assert state(message) == ("failed", answers.LOST_TRACK)
        assert not smtp_sink.taken

    @pytest.mark.parametrize("left", [True, False])
    def test_stopped_between_call_and_record_with_files(
        self, company: Company, asked: int, at: datetime, settings: Settings, left: bool
    ) -> None:
        message = reply(company, asked, at)
        (file,) = settings.SENT_MAIL_DIR.iterdir()
        written = file.stat().st_mtime_ns
        Message.objects.filter(pk=message.pk).update(delivery="sending")
        if not left:
            file.unlink()
        answers.deliver(message.pk, at=at)
        assert state(message)[0] == "sent"
        assert file.exists() and (file.stat().st_mtime_ns == written) is left

    def test_two_workers_send_it_once(self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink) -> None:
        message = reply(company, asked, at)
        for _ in range(2):
            answers.deliver(message.pk, at=at)
        OutboxEntry.objects.update(done_at=None)
        settle(at)
        assert len(smtp_sink.taken) == 1

    def test_what_cannot_be_written_fails_visibly_in_the_end(
        self, company: Company, asked: int, at: datetime, smtp_sink: SmtpSink
    ) -> None:
        message = conversations.reply(
            asked, company.grace, "See the file.", at=at, files=[File("x.txt", "text/plain", b"x")]
        )
        message.attachments.update(sha256="0" * 64)
        Message.objects.filter(pk=message.pk).update(attempts=answers.MAX_ATTEMPTS - 2)
        settle(at)
        assert state(message)[0] == "pending" and "FileNotFoundError" in message.error
        settle(at + timedelta(hours=1))
        assert state(message)[0] == "failed"


class TestSomeRecipients:
    @pytest.fixture
    def with_bob(self, company: Company, at: datetime, send_mail: Send) -> int:
        raw = raw_mail(cc="bob@acme.example", x_auto_response_suppress="All")
        return send_mail(raw, at=at).conversation_id or 0

    def test_a_refused_copy_is_remarked(
        self, company: Company, with_bob: int, at: datetime, smtp_sink: SmtpSink
    ) -> None:
        smtp_sink.refusals["bob@acme.example"] = "550 5.1.1 who?"
        message = reply(company, with_bob, at)
        assert message.delivery == "sent"
        assert message.remark == "Not taken for bob@acme.example: 550 5.1.1 who?"

    def test_a_refused_customer_is_a_failure_though_copies_left(
        self, company: Company, with_bob: int, at: datetime, smtp_sink: SmtpSink
    ) -> None:
        smtp_sink.refusals["carol@acme.example"] = "550 5.1.1 who?"
        message = reply(company, with_bob, at)
        assert message.delivery == "failed"
        assert "550 5.1.1 who?" in message.error and "in copy only" in message.error
        assert smtp_sink.taken[0].rcpt_to == ("bob@acme.example",)

    def test_suspended_copies_are_left_out_and_a_customer_who_writes_again_is_not_suspended(
        self, company: Company, with_bob: int, at: datetime, smtp_sink: SmtpSink, send_mail: Send
    ) -> None:
        for address in ("bob@acme.example", "carol@acme.example"):
            SuspendedAddress.objects.create(
                address=address, hard_bounces=2, until=at + timedelta(days=7), reason="no such user", bounced_at=at
            )
        message = reply(company, with_bob, at)
        assert message.delivery == "failed" and "no such user; suspended until 19 January" in message.error
        later = at + timedelta(hours=1)
        send_mail(raw_mail(subject=f"Re: [#{with_bob}] The site is slow", text="Hello?"), at=later)
        assert reply(company, with_bob, later).delivery == "sent"
        assert smtp_sink.taken[-1].rcpt_to == ("carol@acme.example",)


def test_messages_of_one_round_share_a_connection(
    company: Company, at: datetime, smtp_sink: SmtpSink, send_mail: Send
) -> None:
    people = [Customer.objects.create(name=f"P{n}", email=f"p{n}@acme.example", created_at=at) for n in range(6)]
    for person in people:
        asked = conversations.Inbound(channel="email", customer=person, at=at, subject="Help", text="x")
        conversations.reply(conversations.receive_message(asked).conversation_id, company.grace, "Yes?", at=at)
    smtp_sink.answers.extend(["250 OK", "250 OK", "554 spam", "250 OK", "cut"])
    settle(at)
    assert len(smtp_sink.taken) == 4
    # One connection until the refusal, one until it was cut, one for the rest.
    assert smtp_sink.sessions == 3
    assert MailThread.objects.filter(mailbox__address="support@demo.example").count() == 6


def test_a_full_mailbox_does_not_keep_the_agent_from_being_told(
    company: Company, asked: int, at: datetime, smtp_sink: SmtpSink, send_mail: Send
) -> None:
    smtp_sink.refusals["carol@acme.example"] = "452 4.2.2 mailbox full"
    first = reply(company, asked, at)
    second = reply(company, asked, at, "One more thing.")
    later = at + timedelta(minutes=1)
    send_mail(raw_mail(subject=f"Re: [#{asked}] The site is slow", text="Hello?"), at=later)
    settle(later)
    assert [taken.rcpt_to for taken in smtp_sink.taken] == [("grace@demo.example",)]
    smtp_sink.refusals.clear()
    settle(at + timedelta(hours=1))
    assert (state(first)[0], state(second)[0]) == ("sent", "sent")
    ours = [taken.mail["Message-ID"] for taken in smtp_sink.taken[1:]]
    wanted = [f"<{tokens.message_id(asked, message.pk, 'demo.example')}>" for message in (first, second)]
    assert ours == wanted


def test_notices_to_agents_hold_together_and_survive_a_customers_name(
    company: Company, asked: int, at: datetime, smtp_sink: SmtpSink, send_mail: Send
) -> None:
    Customer.objects.filter(pk=company.carol.pk).update(name='Carol, "the boss" <eve@evil.example>\r\nBcc: x@y')
    reply(company, asked, at)
    for minute in (1, 2):
        raw = raw_mail(subject=f"Re: [#{asked}] x", text=f"Hello {minute}", references="<first@acme.example>")
        send_mail(raw, at=at + timedelta(minutes=minute))
    settle(at + timedelta(minutes=3))
    notices = [taken.mail for taken in smtp_sink.taken if taken.rcpt_to == ("grace@demo.example",)]
    assert len(notices) == 2
    assert len({notice["References"] for notice in notices}) == len({notice["Subject"] for notice in notices}) == 1
    for notice in notices:
        assert [a.addr_spec for a in notice["From"].addresses] == ["support@demo.example"]
        assert notice["Bcc"] is None and notice["Auto-Submitted"] == "auto-generated"
