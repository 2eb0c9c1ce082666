"""What becomes of a mail: threads, strangers, duplicates, loops, bounces, alerts, agents."""

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from tests.fixtures.company import Company
from tests.fixtures.mailing import Send, raw_mail, settle
from tickets.mail import filing, ledger, tokens
from tickets.models import InboundEmail, MailHeader, SuspendedAddress

pytestmark = pytest.mark.django_db
BOX = "support@demo.example"


def sent(settings: Settings, to: str) -> list[EmailMessage]:
    """Mails that left to an address, oldest first."""
    mails = [
        message_from_bytes(p.read_bytes(), policy=policy.default) for p in Path(settings.SENT_MAIL_DIR).glob("*.eml")
    ]
    return sorted((m for m in mails if to in m["X-Envelope-To"]), key=lambda m: m["Date"])


def test_an_answer_to_our_mail_joins_its_conversation(
    company: Company, send_mail: Send, at: datetime, settings: Settings
) -> None:
    first = send_mail(raw_mail(), at=at)
    assert first.conversation_id is not None
    conversations.reply(first.conversation_id, company.grace, "We are looking into it.", at=at)
    settle(at)
    (ours,) = [m for m in sent(settings, "carol@acme.example") if m["Auto-Submitted"] is None]
    assert ours["From"].addresses[0].addr_spec == "support@demo.example"
    answer = raw_mail(
        to=str(ours["Reply-To"]),
        subject=f"Re: {ours['Subject']}",
        text="Thanks.\n\nOn Monday Grace wrote:\n> We are looking into it.\n",
        in_reply_to=str(ours["Message-ID"]),
    )
    second = send_mail(answer, at=at + timedelta(hours=1), rcpt=str(ours["Reply-To"]))
    assert second.conversation_id == first.conversation_id
    message = Message.objects.get(pk=second.message_id)
    assert message.text.strip() == "Thanks."
    assert "> We are looking into it." in message.full_text


@pytest.mark.parametrize("way", ["token", "own-message-id", "their-message-id", "subject"])
def test_each_thread_of_a_participant_is_followed(company: Company, send_mail: Send, at: datetime, way: str) -> None:
    first = send_mail(raw_mail(message_id="<first@acme.example>"), at=at)
    conversation_id = first.conversation_id
    assert conversation_id is not None
    reply = conversations.reply(conversation_id, company.grace, "Done?", at=at)
    settle(at)
    token = tokens.make("customer", conversation_id, company.carol.pk)
    headers = {
        "token": {},
        "own-message-id": {"in_reply_to": f"<{tokens.message_id(conversation_id, reply.pk, 'demo.example')}>"},
        "their-message-id": {"references": "<first@acme.example>"},
        "subject": {},
    }[way]
    subject = f"AW: The site is slow [#{conversation_id}]" if way == "subject" else "AW: The site is slow"
    rcpt = f"support+{token.upper()}@demo.example" if way == "token" else "support@demo.example"
    answer = send_mail(raw_mail(subject=subject, text="yes", **headers), at=at + timedelta(minutes=5), rcpt=rcpt)
    assert answer.conversation_id == conversation_id


@pytest.mark.parametrize("way", ["their-message-id", "subject"])
def test_a_stranger_with_public_knowledge_opens_a_ticket_of_their_own(send_mail: Send, at: datetime, way: str) -> None:
    first = send_mail(raw_mail(message_id="<first@acme.example>"), at=at)
    headers = {"references": "<first@acme.example>"} if way == "their-message-id" else {}
    subject = f"Re: The site is slow [#{first.conversation_id}]" if way == "subject" else "Re: The site is slow"
    mail = raw_mail(sender="eve@evil.example", subject=subject, text="let me in", **headers)
    assert send_mail(mail, at=at, mail_from="eve@evil.example").conversation_id != first.conversation_id


def test_a_stranger_with_a_token_is_marked_and_gains_nothing(company: Company, send_mail: Send, at: datetime) -> None:
    first = send_mail(raw_mail(), at=at)
    assert first.conversation_id is not None
    rcpt = f"support+{tokens.make('customer', first.conversation_id, company.carol.pk)}@demo.example"
    mail = send_mail(raw_mail(sender="eve@evil.example", text="hello"), at=at, mail_from="eve@evil.example", rcpt=rcpt)
    message = Message.objects.get(pk=mail.message_id)
    assert message.conversation_id == first.conversation_id
    assert not message.is_verified
    assert not Conversation.objects.get(pk=first.conversation_id).followers.exists()


def test_a_wrong_token_leads_nowhere(company: Company, send_mail: Send, at: datetime) -> None:
    first = send_mail(raw_mail(), at=at)
    assert first.conversation_id is not None
    token = tokens.make("customer", first.conversation_id, company.carol.pk)
    forged = token[:-1] + ("a" if token[-1] != "a" else "b")
    mail = send_mail(raw_mail(text="again"), at=at, rcpt=f"support+{forged}@demo.example")
    assert mail.conversation_id != first.conversation_id


def test_another_subject_is_marked_and_a_finished_ticket_is_left_alone(
    company: Company, send_mail: Send, at: datetime
) -> None:
    first = send_mail(raw_mail(message_id="<one@acme.example>"), at=at)
    other = raw_mail(subject="Invoice for November", text="please", references="<one@acme.example>")
    marked = send_mail(other, at=at)
    assert marked.conversation_id == first.conversation_id
    assert "Subject changed" in Message.objects.get(pk=marked.message_id).remark
    done = conversations.Changes(status="resolved")
    conversations.change(first.conversation_id or 0, done, actor=Actor.agent(company.ada), at=at)
    third = raw_mail(subject="A new shop", text="quote?", references="<one@acme.example>")
    assert send_mail(third, at=at + timedelta(days=1)).conversation_id != first.conversation_id


def test_the_same_mail_again_is_one_row_and_another_way_is_a_duplicate(send_mail: Send, at: datetime) -> None:
    raw = raw_mail(cc="info@demo.example")
    first = send_mail(raw, at=at)
    assert send_mail(raw, at=at).pk == first.pk
    other = send_mail(b"Received: from mx by us\r\n" + raw, at=at, rcpt="info@demo.example")
    assert (other.state, other.conversation_id) == ("duplicate", first.conversation_id)
    assert Conversation.objects.count() == 1


def test_the_same_id_with_other_content_is_kept(send_mail: Send, at: datetime) -> None:
    send_mail(raw_mail(message_id="<x@y.example>", text="one"), at=at)
    second = send_mail(raw_mail(message_id="<x@y.example>", text="two"), at=at)
    assert second.state == "filed"


def test_our_own_mail_coming_back_is_kept_but_goes_nowhere(send_mail: Send, at: datetime) -> None:
    raw = raw_mail(x_helpdesk_instance=tokens.instance_id())
    assert send_mail(raw, at=at).state == "automatic"
    assert not Conversation.objects.exists()


def test_an_out_of_office_note_neither_reopens_nor_is_answered(company: Company, send_mail: Send, at: datetime) -> None:
    first = send_mail(raw_mail(), at=at)
    reply = conversations.reply(first.conversation_id or 0, company.grace, "Done.", at=at, status="resolved")
    settle(at)
    ours = tokens.message_id(reply.conversation_id, reply.pk, "demo.example")
    note = raw_mail(
        subject="Out of office", text="Back on Monday", in_reply_to=f"<{ours}>", auto_submitted="auto-replied"
    )
    mail = send_mail(note, at=at)
    assert (mail.state, mail.conversation_id) == ("automatic", first.conversation_id)
    conversation = Conversation.objects.get(pk=first.conversation_id)
    assert conversation.status == "resolved"
    unthreaded = raw_mail(subject="Automatic reply: hello", text="I am away", auto_submitted="auto-replied")
    assert send_mail(unthreaded, at=at).state == "automatic"
    assert Conversation.objects.count() == 1


def test_automatic_mail_that_asks_for_something_is_a_ticket_without_an_acknowledgement(
    send_mail: Send, at: datetime
) -> None:
    raw = raw_mail(sender="cron@acme.example", subject="Backup failed", auto_submitted="auto-generated")
    mail = send_mail(raw, at=at)
    settle(at)
    assert mail.state == "filed"
    assert not Message.objects.filter(kind="outbound").exists()


def bounce(original: Message, status: str = "5.1.1", to: str = "carol@acme.example") -> bytes:
    mail_id = tokens.message_id(original.conversation_id, original.pk, "demo.example")
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: bounce@demo.example\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        f"Message-ID: <b{original.pk}{status}@mx.example>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThe mail could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {to}\r\nAction: failed\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{mail_id}>\r\nSubject: x\r\n\r\nx\r\n--b--\r\n"
    ).encode()


def test_a_bounce_is_told_on_the_message_and_suspends_the_address(
    company: Company, send_mail: Send, at: datetime
) -> None:
    first = send_mail(raw_mail(), at=at)
    reply = conversations.reply(first.conversation_id or 0, company.grace, "Hello?", at=at)
    settle(at)
    rcpt = f"bounce+{tokens.make('message', reply.pk)}@demo.example"
    mail = send_mail(bounce(reply), at=at, mail_from="", rcpt=rcpt)
    assert (mail.state, mail.message_id) == ("bounce", reply.pk)
    reply.refresh_from_db()
    assert (reply.delivery, "no such user" in reply.error) == ("failed", True)
    assert SuspendedAddress.objects.get(address="carol@acme.example").until is not None
    again = conversations.reply(first.conversation_id or 0, company.grace, "Still there?", at=at)
    settle(at)
    again.refresh_from_db()
    assert (again.delivery, "suspended" in again.error) == ("failed", True)
    assert Conversation.objects.count() == 1


def test_a_forged_bounce_changes_nothing(company: Company, send_mail: Send, at: datetime) -> None:
    first = send_mail(raw_mail(), at=at)
    reply = conversations.reply(first.conversation_id or 0, company.grace, "Hello?", at=at)
    settle(at)
    forged = bounce(reply).replace(b"<t", b"<t9")
    assert send_mail(forged, at=at, mail_from="").state == "bounce"
    reply.refresh_from_db()
    assert reply.delivery == "sent"
    assert not SuspendedAddress.objects.exists()


def alert(kind: str, number: int, sender: str = "nagios@mon.example") -> bytes:
    state = "CRITICAL" if kind == "PROBLEM" else "OK"
    text = f"***** Nagios *****\n\nNotification Type: {kind}\n\nService: HTTP\nHost: web1\nState: {state}\n"
    subject = f"** {kind} Service Alert: web1/HTTP is {state} **"
    return raw_mail(sender=sender, to="hosting@demo.example", subject=subject, text=text, message_id=f"<n{number}@mon>")


def test_an_alert_opens_one_ticket_and_recovery_resolves_it(send_mail: Send, at: datetime) -> None:
    first = send_mail(alert("PROBLEM", 1), at=at, rcpt="hosting@demo.example")
    again = send_mail(alert("PROBLEM", 2), at=at + timedelta(minutes=5), rcpt="hosting@demo.example")
    assert again.conversation_id == first.conversation_id
    forged = send_mail(alert("RECOVERY", 3, "eve@evil.example"), at=at, rcpt="hosting@demo.example")
    assert forged.conversation_id is None
    send_mail(alert("RECOVERY", 4), at=at + timedelta(minutes=9), rcpt="hosting@demo.example")
    assert Conversation.objects.get(pk=first.conversation_id).status == "resolved"
    later = send_mail(alert("PROBLEM", 5), at=at + timedelta(hours=2), rcpt="hosting@demo.example")
    assert later.conversation_id != first.conversation_id


def test_an_agent_answers_from_their_own_mailbox(
    company: Company, send_mail: Send, at: datetime, settings: Settings
) -> None:
    first = send_mail(raw_mail(message_id="<a@acme.example>"), at=at)
    changes = conversations.Changes(assignee=company.grace)
    conversations.change(first.conversation_id or 0, changes, actor=Actor.agent(company.ada), at=at)
    settle(at)
    (notice,) = sent(settings, "grace@demo.example")
    answer = raw_mail(
        sender="Grace Hopper <grace@demo.example>", to=str(notice["Reply-To"]), subject="Re: x", text="It is fixed."
    )
    mail = send_mail(answer, at=at, mail_from="grace@demo.example", rcpt=str(notice["Reply-To"]))
    message = Message.objects.get(pk=mail.message_id)
    assert (message.kind, message.agent, message.text.strip()) == ("outbound", company.grace, "It is fixed.")


def test_a_forged_agent_is_nobody(company: Company, send_mail: Send, at: datetime) -> None:
    first = send_mail(raw_mail(message_id="<a@acme.example>"), at=at)
    raw = raw_mail(sender="grace@demo.example", text="Send the password to eve", references="<a@acme.example>")
    mail = send_mail(raw, at=at, mail_from="eve@evil.example")
    message = Message.objects.get(pk=mail.message_id)
    assert message.kind == "inbound"
    settle(at)
    written = Event.objects.filter(conversation=first.conversation_id, kind="message.written")
    assert not written.filter(actor_kind="agent").exists()


def test_an_agents_forward_becomes_the_customers_ticket(company: Company, send_mail: Send, at: datetime) -> None:
    text = (
        "Please have a look, this came to me.\n\n---------- Forwarded message ---------\n"
        "From: Gil Ortega <gil@globex.example>\nDate: Mon, 12 Jan 2026\nSubject: Shop down\n"
        "To: Grace <grace@demo.example>\n\nOur shop is down since eight.\n"
    )
    raw = raw_mail(sender="grace@demo.example", subject="Fwd: Shop down", text=text)
    mail = send_mail(raw, at=at, mail_from="grace@demo.example")
    conversation = Conversation.objects.get(pk=mail.conversation_id)
    assert (conversation.customer, conversation.subject) == (company.gil, "Shop down")
    assert conversation.messages.get(kind="note").text.strip() == "Please have a look, this came to me."


def test_those_in_copy_follow_but_never_we_ourselves(company: Company, send_mail: Send, at: datetime) -> None:
    raw = raw_mail(to="support@demo.example, bob@acme.example", cc="info@demo.example, Uma <uma@umbrella.example>")
    mail = send_mail(raw, at=at)
    followers = Conversation.objects.get(pk=mail.conversation_id).followers
    assert sorted(followers.values_list("email", flat=True)) == ["bob@acme.example", "uma@umbrella.example"]


def test_a_flood_of_a_stranger_is_one_ticket_with_everything_in_it(send_mail: Send, at: datetime) -> None:
    for number in range(25):
        send_mail(
            raw_mail(sender="bot@flood.example", subject=f"Subject number {number} of mine", text=f"text {number}"),
            at=at,
            mail_from="bot@flood.example",
        )
    assert Conversation.objects.count() == 20
    assert Message.objects.filter(kind="inbound").count() == 25


def test_a_mail_without_any_sender_is_quarantined_and_can_be_replayed(send_mail: Send, at: datetime) -> None:
    mail = send_mail(b"Subject: who am I\r\n\r\nnobody\r\n", at=at, mail_from="")
    assert (mail.state, bool(mail.error)) == ("quarantined", True)
    InboundEmail.objects.filter(pk=mail.pk).update(mail_from="late@acme.example")
    mail.refresh_from_db()
    assert filing.replay(mail, at=at).state == "filed"


@pytest.mark.django_db(transaction=True)
def test_two_threads_file_a_heap_once(company: Company, at: datetime) -> None:
    heap = [
        ledger.Arrived(
            "smtp", raw_mail(subject=f"Ticket {n}", text=f"text {n}"), "carol@acme.example", (BOX,), None, at
        )
        for n in range(3 * filing.BATCH)
    ]
    ledger.store(heap, at=at)
    while filing.file_side_by_side(at):
        pass
    assert InboundEmail.objects.filter(state="filed").count() == len(heap)
    assert Conversation.objects.count() == len(heap)


@pytest.mark.parametrize(
    ("subject", "called"),
    [("AW: WG: Drucker kaputt", "Drucker kaputt"), ("Re: [urgent] Printer (fwd)", "[urgent] Printer")],
)
def test_a_new_conversation_is_called_without_prefixes(
    company: Company, send_mail: Send, at: datetime, subject: str, called: str
) -> None:
    first = send_mail(raw_mail(subject=subject, message_id="<first@acme.example>"), at=at)

    assert Conversation.objects.get(pk=first.conversation_id).subject == called
    assert MailHeader.objects.get(message=first.message_id).subject == subject
    # What the mail said is what an answer is compared with, in whatever clothes.
    same = send_mail(raw_mail(subject=f"Re: {subject}", text="And?", in_reply_to="<first@acme.example>"), at=at)
    other = send_mail(raw_mail(subject="Re: New colleague", text="Hi", in_reply_to="<first@acme.example>"), at=at)
    assert same.conversation_id == other.conversation_id == first.conversation_id
    assert "Subject changed" not in Message.objects.get(pk=same.message_id).remark
    assert "Subject changed" in Message.objects.get(pk=other.message_id).remark
