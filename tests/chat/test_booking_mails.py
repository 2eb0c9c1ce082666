"""What customers are mailed about a booked chat, with the entry for their calendar, read back from the sent mail."""

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import pytest
from django.conf import settings as configured
from icalendar import Calendar

from chat import booking_mails, bookings
from chat.models import Booking, Visit
from helpdesk.conversations.models import Message
from helpdesk.events import outbox
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.models import Event, OutboxEntry
from tests.chat.booking import HALF_AN_HOUR, TUESDAY, book, wish
from tests.chat.continuing import MINUTE, visitor
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine
from tests.fixtures.mailing import raw_mail
from tickets.models import Mailbox


@pytest.fixture
def visit(company: Company, at: datetime) -> Visit:
    return visitor(at)


def _work(at: datetime) -> list[EmailMessage]:
    """All that is due; the mails to the customer so far, oldest first."""
    while outbox.drain(at):
        pass
    assert not OutboxEntry.objects.filter(done_at=None, due_at__lte=at).exists()
    folder = Path(configured.SENT_MAIL_DIR)
    files = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    return [mail for mail in mails if str(mail["Message-ID"]).startswith("<booking-")]


def _entries(mail: EmailMessage) -> list[Calendar]:
    return [
        Calendar.from_ical(part.get_content() if part.get_content_maintype() == "text" else bytes(part.get_content()))
        for part in mail.walk()
        if part.get_content_type() in ("text/calendar", "application/ics")
    ]


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_the_confirmation(visit: Visit, at: datetime) -> None:
    booking = book(visit, wish(timezone="Africa/Lagos"), at=at)

    (mail,) = _work(at)

    assert mail["To"] == "nora@cafe.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "Tuesday 13 January 2026, 14:00–14:30 (Africa/Lagos)" in str(mail["Subject"])
    assert "Hello Nora," in _text(mail) and "What it is about: Moving our shop" in _text(mail)
    assert f"&booking={booking.public_id}#resume=" in _text(mail)
    # What follows tells when it was signed.
    assert f"/chat/bookings/{booking_mails.token(booking).partition(':')[0]}:" in _text(mail)
    part = next(part for part in mail.walk() if part.get_content_type() == "text/calendar")
    assert part.get_param("method") == "REQUEST"
    inline, attached = _entries(mail)
    assert inline.to_ical() == attached.to_ical()
    (event,) = attached.walk("VEVENT")
    assert event.decoded("DTSTART") == TUESDAY and event.decoded("DTEND") == TUESDAY + HALF_AN_HOUR
    assert event["UID"] == f"booking-{booking.public_id}@demo.example"
    assert str(event["ATTENDEE"]) == "MAILTO:nora@cafe.example"


def test_it_is_from_the_teams_mailbox_and_its_answers_come_to_the_conversation(
    visit: Visit, engine: Engine, at: datetime
) -> None:
    hosting = Mailbox.objects.get(address="hosting@demo.example")
    visit.widget.team = hosting.team
    visit.widget.save()
    booking = book(visit, at=at)
    engine.work(at)

    (sent,) = (mail for mail in engine.mails("nora@cafe.example") if str(mail["Message-ID"]).startswith("<booking-"))
    assert parseaddr(str(sent["From"])) == (hosting.name, hosting.address)
    to = str(sent["Reply-To"])
    assert to.endswith("@demo.example") and to.startswith("hosting+")
    assert str(_entries(sent)[0].walk("VEVENT")[0]["ORGANIZER"]) == "MAILTO:hosting@demo.example"

    back = raw_mail(sender="nora@cafe.example", to=to, text="May I bring a colleague?", subject=str(sent["Subject"]))
    engine.receive(back, at=at + MINUTE, sender="nora@cafe.example", to=to)
    latest = Message.objects.order_by("pk").last()
    assert latest is not None and latest.conversation_id == booking.conversation_id
    assert "colleague" in latest.text


def test_without_any_mailbox_it_still_leaves(visit: Visit, at: datetime) -> None:
    booking = book(visit, at=at)
    Mailbox.objects.all().delete()

    (mail,) = _work(at)

    assert booking.email == mail["To"] and str(mail["From"]) == configured.DEFAULT_FROM_EMAIL
    assert mail["Reply-To"] is None


def test_each_change_raises_the_sequence_of_one_entry(visit: Visit, at: datetime) -> None:
    booking = book(visit, at=at)
    _work(at)
    bookings.move(booking.pk, TUESDAY + HALF_AN_HOUR, actor=CUSTOMER, at=at)
    _work(at)
    bookings.cancel(booking.pk, actor=CUSTOMER, at=at)

    mails = _work(at)

    calendars = [_entries(mail)[0] for mail in mails]
    events = [calendar.walk("VEVENT")[0] for calendar in calendars]
    assert [str(calendar["METHOD"]) for calendar in calendars] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [event["SEQUENCE"] for event in events] == [0, 1, 2]
    assert len({event["UID"] for event in events}) == 1
    assert len({mail["Message-ID"] for mail in mails}) == 3
    assert len({mail["References"] for mail in mails}) == 1
    assert "#resume=" not in _text(mails[2])


def test_what_is_overtaken_before_it_left_is_not_told(visit: Visit, at: datetime) -> None:
    """Mail was down: of booked, moved and moved again only the last says what holds."""
    booking = book(visit, at=at)
    bookings.move(booking.pk, TUESDAY + HALF_AN_HOUR, actor=CUSTOMER, at=at)
    bookings.move(booking.pk, TUESDAY + 2 * HALF_AN_HOUR, actor=CUSTOMER, at=at)

    (mail,) = _work(at)

    assert "15:00–15:30" in str(mail["Subject"])


def test_reminders_leave_when_they_are_due(visit: Visit, at: datetime) -> None:
    booking = book(visit, at=at)
    _work(at)
    for before in bookings.REMINDERS:
        bookings.sweep(TUESDAY - before)
        bookings.sweep(TUESDAY - before)

    mails = _work(TUESDAY - timedelta(minutes=15))

    assert len(mails) == 3
    assert all("Soon: your chat" in str(mail["Subject"]) for mail in mails[1:])
    assert not _entries(mails[1])
    assert booking_mails.link_of(booking, at=at).partition("#")[0] in _text(mails[1])


def test_a_reminder_that_is_late_does_not_leave_at_all(visit: Visit, at: datetime) -> None:
    booking = book(visit, at=at)
    _work(at)
    bookings.sweep(TUESDAY - timedelta(minutes=15))

    assert len(_work(booking.ends_at)) == 1


@pytest.mark.parametrize(
    ("language", "day"),
    [
        ("de", "Dienstag, 13. Januar"),
        ("fr", "mardi 13"),
        ("es", "martes, 13 de enero"),
        ("pt-BR", "Terça-feira, 13 de Janeiro"),
        ("tlh", "Tuesday 13"),
    ],
)
def test_in_the_customers_language(language: str, day: str, visit: Visit, at: datetime) -> None:
    book(visit, wish(language=language), at=at)

    (mail,) = _work(at)

    assert day.lower() in str(mail["Subject"]).lower()


def test_a_topic_cannot_forge_a_header_or_a_line(visit: Visit, at: datetime) -> None:
    book(visit, wish(topic="Hi\r\nBcc: all@acme.example\r\nEND:VCALENDAR"), at=at)

    (mail,) = _work(at)

    assert mail["Bcc"] is None
    (event,) = _entries(mail)[0].walk("VEVENT")
    assert event["STATUS"] == "CONFIRMED"


def test_the_same_event_again_is_the_same_mail(visit: Visit, at: datetime) -> None:
    booking = book(visit, at=at)
    event = Event.objects.get(kind=bookings.BOOKED)
    row = Booking.objects.select_related("customer", "widget").get(pk=booking.pk)

    one, other = (booking_mails.mail(event.kind, row, event, at=at + timedelta(hours=n)) for n in (0, 1))

    assert one.extra_headers == other.extra_headers
    assert one.attachments == other.attachments and one.body == other.body
