"""Three in the morning: a customer leaves a message on the emergency number, on-call is rung until a key is pressed."""

from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest

from helpdesk.conversations.files import content_of
from helpdesk.conversations.models import Attachment, Conversation
from helpdesk.customers.models import Identity
from helpdesk.oncall.models import Page
from phone import calling
from phone.models import Call, Recording
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine
from tests.fixtures.phone import line, own_phone, tell
from tests.fixtures.providers.twilio import MP3, TwilioServer

pytestmark = pytest.mark.django_db
GRACE = "+4917612345678"


def test_a_voicemail_rings_until_a_key_acknowledges(
    engine: Engine, company: Company, twilio: TwilioServer, at: datetime
) -> None:
    night = at.replace(hour=2)  # three o'clock in Berlin
    line(night)
    own_phone(company.grace, GRACE, at=night - timedelta(days=1), channels=("sms", "voice"))
    Identity.objects.create(customer=company.gil, channel="phone", handle="+4915123456789")
    # Gil calls, hears the greeting of the night, and speaks.
    greeting = tell(twilio.ring(), night)
    verbs = [verb.tag for verb in ElementTree.fromstring(greeting.content)]
    assert verbs == ["Say", "Record", "Say", "Hangup"] and "außerhalb" in greeting.content.decode()
    engine.work(night)
    conversation = Conversation.objects.get(channel="phone")
    assert (conversation.customer, conversation.priority) == (company.gil, "urgent")
    page = Page.objects.get(conversation=conversation)
    assert (page.urgency, page.state) == ("high", "triggered")
    assert len(twilio.calls) == 1 and twilio.calls[0].form["To"] == GRACE
    assert "Gil" in twilio.calls[0].words and "Press 1" in twilio.calls[0].words
    assert len(twilio.messages) == 1 and f"ACK {page.pk}" in twilio.messages[0].body

    for hook in (*twilio.leave(greeting.content), twilio.hang_up()):
        assert tell(hook, night + timedelta(minutes=1)).status_code == 200
    engine.work(night + timedelta(minutes=1))
    voicemail = Attachment.objects.get(message__conversation=conversation)
    assert content_of(voicemail) == MP3 and voicemail.content_type == "audio/mpeg"
    assert "Voicemail, 42 s" in voicemail.message.text

    # Her voicemail box takes the first call, and says nothing: that acknowledges nothing.
    tell(twilio.over(twilio.calls[0], by="machine_start"), night + timedelta(minutes=2))
    engine.until(night + timedelta(minutes=65))
    page.refresh_from_db()
    assert page.state == "triggered" and len(twilio.calls) >= 3

    said = tell(twilio.press(twilio.calls[-1], "1"), night + timedelta(minutes=66))
    assert b"Acknowledged" in said.content
    engine.work(night + timedelta(minutes=66))
    page.refresh_from_db()
    assert (page.state, page.acknowledged_by) == ("acknowledged", company.grace)
    assert page.acknowledged_via == f"phone call ({GRACE})"
    rung = len(twilio.calls)
    engine.until(night + timedelta(minutes=90))
    assert len(twilio.calls) == rung, "who has acknowledged is left alone"

    # She calls back from the ticket: her phone rings, a key joins the two, and the talk is on record.
    then = night + timedelta(minutes=91)
    calling.ask(conversation, company.grace, at=then)
    engine.work(then)
    back = twilio.calls[-1]
    assert back.form["To"] == GRACE
    dialled = ElementTree.fromstring(tell(twilio.press(back, "1"), then).content).find("Dial")
    assert dialled is not None and dialled.findtext("Number") == "+4915123456789"
    ended = {"CallSid": back.sid, "DialCallStatus": "completed", "DialCallDuration": "250"}
    tell(twilio.hook(dialled.attrib["action"], ended), then + timedelta(minutes=5))
    tell(twilio.over(back), then + timedelta(minutes=5))
    engine.work(then + timedelta(minutes=5))
    conversation.refresh_from_db()
    assert conversation.assignee == company.grace
    note = conversation.messages.filter(kind="note").latest("pk")
    assert note.text.startswith("Called back: 4 min 10 s on the phone.")
    assert Call.objects.get(direction="back").seconds == 250
    assert Recording.objects.get().state == "kept"
