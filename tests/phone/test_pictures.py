"""Pictures of text messages: fetched once and kept; what cannot be had is said."""

from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest

from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.events import outbox
from phone import reconciling
from phone.models import Picture
from tests.fixtures.company import Company
from tests.fixtures.phone import line, tell
from tests.fixtures.providers.twilio import FROM, TwilioServer

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
MINUTE = timedelta(minutes=1)


def _work(at: datetime) -> None:
    while outbox.drain(at):
        pass


def test_pictures_of_a_text_are_kept_with_it(company: Company, twilio: TwilioServer, at: datetime) -> None:
    twilio.picture("ME1", PNG)
    told = twilio.text("", **twilio.picture("ME2", b"GIF89a" + b"0" * 20))
    twilio.fail_next(503)
    tell(told, at)
    _work(at)
    message = Message.objects.get(kind="inbound", conversation__channel="sms")
    assert message.text == "[picture]"
    tell(told, at + MINUTE)
    _work(at + 10 * MINUTE)
    kept = Attachment.objects.filter(message=message).values_list("name", "content_type").order_by("name")
    assert list(kept) == [("picture-ME1.png", "image/png"), ("picture-ME2.gif", "image/gif")]
    assert Picture.objects.filter(state=Picture.State.KEPT).count() == 2


def test_an_address_that_is_not_twilios_is_never_called(company: Company, twilio: TwilioServer, at: datetime) -> None:
    """Signed or not: only the id at its end is used, behind the address that we know."""
    tell(
        twilio.text("Look", NumMedia="2", MediaUrl0="http://169.254.169.254/latest/ME9", MediaUrl1="nonsense/?x=/"), at
    )
    _work(at)
    assert [picture.sid for picture in Picture.objects.all()] == ["ME9"]
    assert all("ME9" in request.path for request in twilio.received if "Media" in request.path)
    # It is nowhere: tried ten times, then said.
    for hours in range(1, 30):
        _work(at + timedelta(hours=hours))
    note = Message.objects.get(kind="note", text__contains="could not be fetched")
    assert "ME9" in note.text and Picture.objects.get().state == Picture.State.FAILED


def test_a_text_found_in_the_list_has_its_pictures(company: Company, twilio: TwilioServer, at: datetime) -> None:
    line(at - timedelta(days=1))
    twilio.picture("ME7", PNG, text="SM77")
    twilio.inbound.append(
        {"sid": "SM77", "direction": "inbound", "from": "+4915123456789", "to": FROM, "body": "See", "num_media": "1",
         "status": "received", "date_created": format_datetime(at - 10 * MINUTE)}
    )  # fmt: skip
    for minutes in (0, 1):
        reconciling.reconcile(at=at + minutes * MINUTE)
        _work(at + minutes * MINUTE)
    message = Conversation.objects.get(channel="sms").messages.get(kind="inbound")
    assert (message.text, message.attachments.get().content_type) == ("See", "image/png")
    assert len([one for one in twilio.received if one.path.endswith("Media.json")]) == 1
