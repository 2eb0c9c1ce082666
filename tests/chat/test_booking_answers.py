"""What customers' calendars answer to the entry of a booked chat stands with the booking, and opens no ticket."""

from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest
from django.test import Client

from chat import booking_answers, bookings
from chat.models import Booking, Visit
from helpdesk.conversations.models import Conversation, Message, Status
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.models import Event
from tests.chat.booking import HALF_AN_HOUR, TUESDAY, book, wish
from tests.chat.continuing import visitor
from tests.fixtures.company import Company
from tests.fixtures.mailing import Send

# As Google's calendar and Exchange write them, shortened.
GOOGLE = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
METHOD:REPLY
BEGIN:VEVENT
DTSTART:20260113T130000Z
ORGANIZER;CN=Demo:MAILTO:support@demo.example
UID:{uid}
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={says};CN=nora@ca
 fe.example;X-NUM-GUESTS=0{words}:mailto:{by}
SEQUENCE:{revision}
SUMMARY:Chat with Demo
END:VEVENT
END:VCALENDAR
"""
EXCHANGE = """BEGIN:VCALENDAR
METHOD:REPLY
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VEVENT
ATTENDEE;PARTSTAT={says};CN=Nora:mailto:{by}
UID:{uid}
SEQUENCE:{revision}
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def visit(company: Company, at: datetime) -> Visit:
    return visitor(at)


def _reply(
    booking: Booking,
    says: str = "ACCEPTED",
    *,
    program: str = GOOGLE,
    text: str = "Nora has accepted this invitation.",
    by: str = "nora@cafe.example",
    words: str = "",
    revision: int | None = None,
    uid: str = "",
) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = by, "support@demo.example", f"{says.title()}: Chat with Demo"
    mail["Message-ID"] = f"<{abs(hash((says, by, words, revision, text, uid)))}@mail.example>"
    mail.set_content(text)
    number = booking.revision if revision is None else revision
    uid = uid or f"booking-{booking.public_id}@demo.example"
    entry = program.format(uid=uid, says=says, by=by, revision=number, words=words)
    mail.add_alternative(entry, subtype="calendar", params={"method": "REPLY"})
    return mail.as_bytes()


def _lines() -> list[dict[str, object]]:
    return [event.data for event in Event.objects.filter(kind=booking_answers.ANSWERED).order_by("pk")]


class TestAnswers:
    def test_stand_with_the_booking_and_open_no_ticket(self, visit: Visit, send_mail: Send, at: datetime) -> None:
        booking = book(visit, at=at)
        before = Conversation.objects.count(), Message.objects.count()

        row = send_mail(_reply(booking), at=at, mail_from="nora@cafe.example")
        send_mail(_reply(booking, text="Again."), at=at, mail_from="nora@cafe.example")

        booking.refresh_from_db()
        assert (booking.answer, booking.answered_at) == ("accepted", at)
        assert (row.state, row.conversation_id) == ("automatic", booking.conversation_id)
        assert (Conversation.objects.count(), Message.objects.count()) == before
        assert [line["answer"] for line in _lines()] == ["accepted"]

    def test_declined_is_found_in_the_inbox_with_what_was_said(
        self, visit: Visit, send_mail: Send, company: Company, client: Client, at: datetime
    ) -> None:
        booking = book(visit, at=at)
        assert booking.conversation is not None
        words = ';X-RESPONSE-COMMENT="Rather: on Thursday"'

        send_mail(_reply(booking, "DECLINED", words=words, by="ole@cafe.example"), at=at, mail_from="ole@cafe.example")

        booking.refresh_from_db()
        booking.conversation.refresh_from_db()
        assert (booking.answer, booking.state) == ("declined", Booking.State.BOOKED)
        assert booking.conversation.status == Status.OPEN
        assert (_lines()[0]["by"], _lines()[0]["words"]) == ("ole@cafe.example", "Rather: on Thursday")
        client.force_login(company.ada)
        page = client.get(f"/desk/conversations/{booking.conversation_id}/").content.decode()
        assert ", declined" in page
        assert "“Rather: on Thursday”" in page

    def test_what_was_typed_in_outlook_is_a_message_there(self, visit: Visit, send_mail: Send, at: datetime) -> None:
        booking = book(visit, at=at)

        row = send_mail(
            _reply(booking, "TENTATIVE", program=EXCHANGE, text="I may be ten minutes late."),
            at=at,
            mail_from="nora@cafe.example",
        )
        send_mail(_reply(booking, program=EXCHANGE, text=" "), at=at, mail_from="nora@cafe.example")

        booking.refresh_from_db()
        assert booking.answer == "accepted"
        assert row.conversation_id == booking.conversation_id
        texts = Message.objects.filter(conversation=booking.conversation, via="email").values_list("text", flat=True)
        assert [text.strip() for text in texts] == ["I may be ten minutes late."]

    def test_to_an_earlier_time_or_a_cancelled_chat_change_nothing(
        self, visit: Visit, send_mail: Send, at: datetime
    ) -> None:
        booking = book(visit, at=at)
        send_mail(_reply(booking), at=at, mail_from="nora@cafe.example")
        moved = bookings.move(booking.pk, TUESDAY + HALF_AN_HOUR, actor=CUSTOMER, at=at)
        assert moved.answer == ""

        send_mail(_reply(booking, "DECLINED", revision=0), at=at, mail_from="nora@cafe.example")
        bookings.cancel(booking.pk, actor=CUSTOMER, at=at)
        row = send_mail(_reply(moved, "DECLINED", revision=9), at=at, mail_from="nora@cafe.example")

        booking.refresh_from_db()
        assert (booking.answer, row.state) == ("", "automatic")
        assert [line["answer"] for line in _lines()] == ["accepted"]

    def test_to_what_is_none_of_ours_is_mail_like_any_other(self, visit: Visit, send_mail: Send, at: datetime) -> None:
        booking = book(visit, wish(), at=at)
        uids = ("booking-00000000-0000-4000-8000-000000000000@demo.example", "lunch@cafe.example", "booking-x@y")

        rows = [send_mail(_reply(booking, uid=uid, text=uid), at=at, mail_from="nora@cafe.example") for uid in uids]

        assert all(row.conversation_id not in (None, booking.conversation_id) for row in rows)
        assert not _lines()

    def test_after_its_time_change_nothing(self, visit: Visit, send_mail: Send, at: datetime) -> None:
        booking = book(visit, at=at)

        send_mail(_reply(booking), at=booking.ends_at + timedelta(minutes=1), mail_from="nora@cafe.example")

        booking.refresh_from_db()
        assert booking.answer == ""
