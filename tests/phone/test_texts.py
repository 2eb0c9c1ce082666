"""Text messages with customers: in their order, each delivered or said why not, and never to who wants none."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import answers
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Identity
from helpdesk.events import outbox
from helpdesk.events.models import Hook
from phone import accounts
from phone.models import Call, OptOut, TextMessage
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.fixtures.phone import line, own_phone, tell
from tests.fixtures.providers.twilio import TwilioServer

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def work(at: datetime) -> None:
    while outbox.drain(at):
        pass


def asked(twilio: TwilioServer, at: datetime, body: str = "Is my shop down?") -> Conversation:
    tell(twilio.text(body), at)
    work(at)
    return Conversation.objects.latest("pk")


def answered(conversation: Conversation, company: Company, at: datetime, text: str = "We look into it.") -> Message:
    message = conversations.reply(conversation.pk, company.grace, text, at=at)
    work(at)
    message.refresh_from_db()
    return message


def test_a_text_is_answered_and_arrives(company: Company, twilio: TwilioServer, at: datetime) -> None:
    Identity.objects.create(customer=company.carol, channel="phone", handle="+4915123456789")
    conversation = asked(twilio, at)
    assert (conversation.channel, conversation.customer) == ("sms", company.carol)
    message = answered(conversation, company, at + MINUTE)
    (sent,) = twilio.messages
    assert sent.form | {"StatusCallback": ""} == {
        "To": "+4915123456789", "From": "+4930123456", "Body": "We look into it.", "StatusCallback": "",
    }  # fmt: skip
    assert (message.delivery, message.provider_id) == ("sent", sent.sid)
    # Told in the wrong order, and twice: what arrived has arrived.
    for state in ("delivered", "sent", "queued", "delivered"):
        assert tell(twilio.state(sent, state), at + 2 * MINUTE).status_code == 200
    work(at + 2 * MINUTE)
    message.refresh_from_db()
    assert message.delivery == "delivered"
    tell(twilio.text("Thanks!", sid="SM9002"), at + 3 * MINUTE)
    work(at + 3 * MINUTE)
    assert Conversation.objects.filter(channel="sms").count() == 1


def test_what_did_not_arrive_says_why(company: Company, twilio: TwilioServer, at: datetime) -> None:
    message = answered(asked(twilio, at), company, at)
    tell(twilio.state(twilio.messages[0], "undelivered", 30005), at)
    tell(twilio.state(twilio.messages[0], "sent"), at)
    work(at)
    message.refresh_from_db()
    assert message.delivery == "failed" and message.error == (
        "The text message did not arrive: nobody has this number (30005)"
    )
    # Sent again, it is another message, and what was told of the first one is over.
    conversations.retry(message.pk, company.grace, at=at + MINUTE)
    work(at + MINUTE)
    assert TextMessage.objects.get(message=message).sid == twilio.messages[1].sid
    tell(twilio.state(twilio.messages[0], "failed", 30008), at + MINUTE)
    tell(twilio.state(twilio.messages[1], "delivered"), at + MINUTE)
    work(at + MINUTE)
    message.refresh_from_db()
    assert (message.delivery, message.error) == ("delivered", "")


def test_who_wants_no_texts_gets_none(company: Company, twilio: TwilioServer, at: datetime) -> None:
    """They say STOP and START themselves, or Twilio knows it before we do."""
    conversation = asked(twilio, at)
    tell(twilio.text("Stop", sid="SM9002"), at)
    work(at)
    assert answered(conversation, company, at).error == "+4915123456789 wants no text messages (STOP), since 2026-01-12"
    tell(twilio.text("START", sid="SM9003"), at + MINUTE)
    work(at + MINUTE)
    assert answered(conversation, company, at + MINUTE).delivery == "sent"
    twilio.opted_out.add("+4915123456789")
    refused = answered(conversation, company, at + 2 * MINUTE)
    assert refused.delivery == "failed" and "opted out" in refused.error and "21610" in refused.error
    assert OptOut.objects.get().number == "+4915123456789"
    assert len(twilio.messages) == 1


def test_what_no_text_can_carry_is_refused(
    company: Company, twilio: TwilioServer, settings: Settings, at: datetime
) -> None:
    conversation = asked(twilio, at)
    assert "1601 characters" in answered(conversation, company, at, "x" * 1601).error
    tell(twilio.ring("CA1", caller="anonymous"), at)
    work(at)
    withheld = Conversation.objects.get(channel="phone")
    assert "withheld" in answered(withheld, company, at).error
    settings.TWILIO_AUTH_TOKEN = ""
    assert "not connected" in answered(conversation, company, at).error
    assert not twilio.messages


def test_trouble_waits_and_is_not_sent_twice(company: Company, twilio: TwilioServer, at: datetime) -> None:
    conversation = asked(twilio, at)
    twilio.fail_next(429, {"code": 20429, "message": "Too Many Requests", "status": 429}, {"Retry-After": "30"})
    message = answered(conversation, company, at)
    assert message.delivery == "pending" and "Too Many" not in message.error and "20429" in message.error
    work(at + MINUTE)
    message.refresh_from_db()
    assert message.delivery == "sent"
    # The answer is lost: it may have left, so that a person decides.
    twilio.cut_next(process=True)
    lost = answered(conversation, company, at + MINUTE, "Once only")
    assert lost.delivery == "failed" and "may or may not" in lost.error
    # Stopped in between, Twilio is asked whether it has it.
    Message.objects.filter(pk=lost.pk).update(delivery="sending", at=at - timedelta(days=30))
    answers.deliver(lost.pk, at=at + MINUTE)
    lost.refresh_from_db()
    assert lost.delivery == "sent" and [m.body for m in twilio.messages].count("Once only") == 1


def test_the_account_is_probed(twilio: TwilioServer, settings: Settings, at: datetime) -> None:
    assert accounts.probe(at=at).state == accounts.health().state == "connected"
    twilio.fail_next(503)
    assert accounts.probe(at=at + MINUTE).state == "degraded"
    settings.TWILIO_AUTH_TOKEN = "wrong"
    found = accounts.probe(at=at + 2 * MINUTE)
    assert found.state == "reauth_required" and "wrong" not in found.detail.replace("is wrong", "")
    assert accounts.health().state == "reauth_required"
    settings.TWILIO_AUTH_TOKEN = ""
    assert accounts.health().state == "not_connected"


class TestCallingBack:
    def test_it_needs_a_number_and_a_phone(self, company: Company, twilio: TwilioServer, at: datetime) -> None:
        conversation = asked(twilio, at)
        browser, address = logged_in(company.grace), f"/desk/phone/{conversation.pk}/calling-back/"
        assert browser.post(address).headers["Location"] == "/desk/settings/reach/"
        own_phone(company.grace, "+4917612345678", at=at)
        shown = browser.get(f"/desk/conversations/{conversation.pk}/").content.decode()
        assert address in shown
        assert browser.post(address).headers["Location"] == f"/desk/conversations/{conversation.pk}/"
        call = Call.objects.get(direction="back")
        assert (call.agent, call.to_number) == (company.grace, "+4915123456789")
        browser.post(address)
        assert Call.objects.filter(direction="back").count() == 1, "the phone is ringing already"
        work(call.began_at)
        assert twilio.calls[0].form["To"] == "+4917612345678"
        # Nobody takes it.
        tell(twilio.over(twilio.calls[0], "no-answer"), call.began_at + MINUTE)
        tell(twilio.over(twilio.calls[0], "no-answer"), call.began_at + MINUTE)
        work(call.began_at + MINUTE)
        (note,) = conversation.messages.filter(kind="note")
        assert "the agent's phone was not answered (no-answer)" in note.text
        assert Client().post(address).status_code == 302, "nobody else's to press"

    def test_what_twilio_refuses_is_said(self, company: Company, twilio: TwilioServer, at: datetime) -> None:
        conversation = asked(twilio, at)
        own_phone(company.grace, "+4917612345678", at=at)
        logged_in(company.grace).post(f"/desk/phone/{conversation.pk}/calling-back/")
        twilio.fail_next(400, {"code": 21219, "message": "unverified", "status": 400})
        work(Call.objects.get().began_at)
        (note,) = conversation.messages.filter(kind="note")
        assert "a trial account reaches verified numbers only (21219)" in note.text
        assert Call.objects.get().state == "failed" and not twilio.calls
        assert not Hook.objects.filter(state="quarantined").exists()

    def test_the_api_lists_calls_that_one_may_see(self, company: Company, twilio: TwilioServer, at: datetime) -> None:
        line(at)
        tell(twilio.ring(), at)
        work(at)
        browser = logged_in(company.linus)
        (shown,) = browser.get("/api/v1/calls/").json()["results"]
        assert (shown["direction"], shown["from_number"], shown["recordings"]) == ("inbound", "+4915123456789", [])
        number = shown["conversation"]
        refused = browser.post("/api/v1/calls/", {"conversation": number}, content_type="application/json")
        assert refused.status_code == 409, "no phone of his own"
        own_phone(company.linus, "+4917612345678", at=at)
        made = browser.post("/api/v1/calls/", {"conversation": number}, content_type="application/json")
        assert made.status_code == 201 and made.json()["state"] == "asked"
        counted = browser.post("/api/v1/text-count/", {"text": "ж" * 71}, content_type="application/json").json()
        assert (counted["encoding"], counted["segments"], counted["longest"]) == ("UCS-2", 2, 1600)
        private = Conversation.objects.get(pk=number)
        team = company.ada.teams.create(name="Secret", is_private=True)
        Conversation.objects.filter(pk=private.pk).update(team=team)
        assert browser.get("/api/v1/calls/").json()["results"] == []
        again = browser.post("/api/v1/calls/", {"conversation": number}, content_type="application/json")
        assert again.status_code == 404
