"""Whoever is blocked is not heard: by mail, by form; agents always are."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer
from tests.fixtures.company import Company
from tests.fixtures.mailing import Send, raw_mail, settle
from tests.tickets.mail.test_filing import bounce
from tickets import web_form
from tickets.desk import blocking
from tickets.desk.models import BlockedSender
from tickets.mail import filing, tokens

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("handle", ["carol@acme.example", "Carol@ACME.example ", "@acme.example"])
def test_mail_is_kept_as_blocked_and_opens_nothing(
    company: Company, send_mail: Send, at: datetime, handle: str
) -> None:
    blocking.block(handle, company.grace, "spam", at=at)
    mail = send_mail(raw_mail(), at=at)
    assert (mail.state, mail.conversation_id) == ("blocked", None) and "is blocked" in mail.reason
    assert not Conversation.objects.exists() and bytes(mail.raw)


def test_a_stranger_who_is_blocked_becomes_no_customer(company: Company, send_mail: Send, at: datetime) -> None:
    blocking.block("@junk.example", company.grace, at=at)
    known = Customer.objects.count()
    mail = send_mail(raw_mail(sender="Spam <spam@junk.example>"), at=at, mail_from="spam@junk.example")
    assert mail.state == "blocked" and Customer.objects.count() == known


def test_an_answer_of_a_blocked_customer_is_blocked_as_well(company: Company, send_mail: Send, at: datetime) -> None:
    first = send_mail(raw_mail(), at=at)
    blocking.block("carol@acme.example", company.grace, at=at)
    answer = raw_mail(subject=f"Re: [#{first.conversation_id}] The site is slow", text="Still slow.")
    assert send_mail(answer, at=at + timedelta(hours=1)).state == "blocked"
    assert Message.objects.filter(kind="inbound").count() == 1


@pytest.mark.parametrize("other", ["carol@acme.example.org", "carol@sub.acme.example", "xcarol@acme.example"])
def test_others_are_heard(company: Company, send_mail: Send, at: datetime, other: str) -> None:
    blocking.block("carol@acme.example", company.grace, at=at)
    assert send_mail(raw_mail(sender=other), at=at, mail_from=other).state == "filed"


def test_only_that_domain_is_blocked(company: Company, send_mail: Send, at: datetime) -> None:
    blocking.block("@acme.example", company.grace, at=at)
    assert send_mail(raw_mail(sender="x@notacme.example"), at=at, mail_from="x@notacme.example").state == "filed"


def test_agents_are_never_blocked(company: Company, send_mail: Send, at: datetime) -> None:
    # Written past the check: an agent may have been a blocked sender before they came to us.
    BlockedSender.objects.create(handle="grace@demo.example", by=company.ada, at=at)
    mail = send_mail(raw_mail(sender="grace@demo.example"), at=at, mail_from="grace@demo.example")
    assert mail.state != "blocked" and blocking.blocked("grace@demo.example") is None
    for handle in ("grace@demo.example", "@demo.example", "support@demo.example"):
        with pytest.raises(blocking.CannotBlock):
            blocking.block(handle, company.ada, at=at)


def test_unblocked_mail_can_be_filed_after_all(company: Company, send_mail: Send, at: datetime) -> None:
    row = blocking.block("carol@acme.example", company.grace, at=at)
    mail = send_mail(raw_mail(), at=at)
    assert filing.replay(mail, at=at).state == "blocked"
    blocking.unblock(row, company.grace, at=at)
    assert filing.replay(mail, at=at).state == "filed"
    assert conversations.note(Conversation.objects.get().pk, company.grace, "Sorry.", at=at).pk


def test_a_form_of_a_blocked_sender_is_refused(client: Client, company: Company, at: datetime) -> None:
    blocking.block("@acme.example", company.grace, at=at)
    with time_machine.travel(at, tick=False):
        token = web_form.new_token(at - timedelta(minutes=1))
        form = {
            "token": token,
            "email": "Carol@acme.example",
            "name": "Carol",
            "subject": "Slow",
            "message": "It is slow.",
            "priority": "normal",
        }
        answer = client.post("/tickets/new/", form)
    assert answer.status_code == 403 and "take no forms" in answer.content.decode()
    assert not Conversation.objects.exists()


def test_a_bounce_from_a_blocked_domain_is_still_a_bounce(company: Company, send_mail: Send, at: datetime) -> None:
    """It tells of our own mail, whoever else writes from there."""
    first = send_mail(raw_mail(), at=at)
    reply = conversations.reply(first.conversation_id or 0, company.grace, "Hello?", at=at)
    settle(at)
    blocking.block("@mx.example", company.grace, at=at)
    rcpt = f"bounce+{tokens.make('message', reply.pk)}@demo.example"
    assert send_mail(bounce(reply), at=at, mail_from="", rcpt=rcpt).state == "bounce"
