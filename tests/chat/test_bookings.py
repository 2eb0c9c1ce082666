"""A chat agreed for a time: one seat each, once a request, and live when its hour has come."""

from datetime import UTC, datetime, timedelta

import pytest

from chat import booking_hours, bookings, chats, entitlement
from chat.bookings import NotBooked, NotOffered, Taken, TooMany
from chat.chats import NeedsAddress
from chat.models import Booking, BookingHours, Chat
from helpdesk.conversations.models import Conversation, Message, Status
from helpdesk.customers.models import Plan
from helpdesk.events import outbox
from helpdesk.events.actors import CUSTOMER, Actor
from helpdesk.events.models import Event
from helpdesk.oncall.models import Page
from helpdesk.sla import calendars
from helpdesk.sla.models import Clock
from tests.chat.booking import HALF_AN_HOUR, TUESDAY, book, wish
from tests.chat.continuing import say, visitor
from tests.fixtures.company import Company


@pytest.fixture(autouse=True)
def without_live_chat(company: Company) -> None:
    """Nobody in these tests may chat live by their plan."""
    Plan.objects.filter(is_default=True).update(realtime=Plan.Realtime.NEVER)


def _kinds(conversation_id: int | None) -> list[str]:
    chat = Event.objects.filter(conversation=conversation_id, kind__startswith="chat.").order_by("pk")
    return list(chat.values_list("kind", flat=True))


def test_a_booking_opens_a_conversation_that_waits(at: datetime) -> None:
    visit = visitor(at)

    booking = book(visit, at=at)

    conversation = Conversation.objects.get(pk=booking.conversation_id)
    assert (conversation.channel, conversation.subject) == ("chat", "Moving our shop")
    assert conversation.status == Status.ON_HOLD
    assert (booking.starts_at, booking.ends_at, booking.seat) == (TUESDAY, TUESDAY + HALF_AN_HOUR, 1)
    assert Chat.objects.get(conversation=conversation).mode == Chat.Mode.TICKET
    assert _kinds(conversation.pk) == ["chat.booked"]
    assert [one.pk for one in bookings.of_visit(visit, 10)] == [booking.pk]
    assert not bookings.of_visit(visitor(at), 10)


def test_the_same_request_again_is_the_same_booking(at: datetime) -> None:
    visit, given = visitor(at), wish()

    first = bookings.book(visit, given, at=at)
    again = bookings.book(visit, given, at=at)

    assert (again[0].pk, first[1], again[1]) == (first[0].pk, True, False)
    assert Booking.objects.count() == Conversation.objects.count() == 1


def test_a_page_that_forgot_its_session_books_no_second_time(at: datetime) -> None:
    """The answer was lost, the user logs in anew: the same customer at the same time is the same booking."""
    first = book(visitor(at, signed="carol@acme.example"), at=at)

    again = book(visitor(at, signed="carol@acme.example"), at=at)

    assert again.pk == first.pk


def test_seats_run_out(at: datetime) -> None:
    seats = [book(visitor(at), wish(email=f"n{place}@cafe.example"), at=at).seat for place in (1, 2)]

    assert seats == [1, 2]
    with pytest.raises(Taken):
        book(visitor(at), wish(email="n3@cafe.example"), at=at)
    assert TUESDAY not in {slot.starts_at for slot in booking_hours.offered(at=at)}
    # Nothing is left behind of what could not be agreed.
    assert Conversation.objects.count() == 2


def test_a_seat_that_is_given_back_is_free(at: datetime) -> None:
    BookingHours.objects.create(pk=1, seats=1)
    first = book(visitor(at), at=at)

    bookings.cancel(first.pk, actor=CUSTOMER, at=at)

    assert book(visitor(at), wish(email="other@cafe.example"), at=at).seat == 1


@pytest.mark.parametrize(
    "starts_at",
    [
        datetime(2026, 1, 12, 8, 30, tzinfo=UTC),  # sooner than an hour from now
        datetime(2026, 1, 13, 13, 10, tzinfo=UTC),  # between slots
        datetime(2026, 1, 17, 13, 0, tzinfo=UTC),  # a Saturday
        datetime(2026, 1, 13, 18, 45, tzinfo=UTC),  # not wholly before closing
        datetime(2026, 2, 12, 13, 0, tzinfo=UTC),  # too far ahead
        datetime(2026, 1, 6, 13, 0, tzinfo=UTC),  # last week
    ],
)
def test_other_times_cannot_be_booked(starts_at: datetime, at: datetime) -> None:
    with pytest.raises(NotOffered):
        book(visitor(at), wish(starts_at), at=at)


def test_what_is_offered_can_be_booked_and_holidays_are_not(at: datetime) -> None:
    christmas = datetime(2026, 12, 20, 9, 0, tzinfo=UTC)
    days = {slot.starts_at.date().day for slot in booking_hours.offered(at=christmas)}
    assert days.isdisjoint({25, 26, 27})

    offered = booking_hours.offered(at=at)
    assert offered[0].starts_at == at + timedelta(hours=1)
    assert all(booking_hours.seats_at(slot.starts_at, at=at) == slot.left == 2 for slot in offered)
    assert offered[-1].ends_at <= at + timedelta(days=14)


def test_booking_hours_of_their_own(at: datetime) -> None:
    early = calendars.create_calendar("early", "Europe/Berlin", {"tue": [["06:00", "07:00"]]}, at=at)
    booking_hours.save({"calendar": early, "days": 7})

    assert [slot.starts_at for slot in booking_hours.offered(at=at)] == [
        datetime(2026, 1, 13, 5, 0, tzinfo=UTC),
        datetime(2026, 1, 13, 5, 30, tzinfo=UTC),
    ]


def test_switched_off_nothing_is_offered(at: datetime) -> None:
    booking_hours.save({"is_on": False})

    assert booking_hours.offered(at=at) == []
    with pytest.raises(NotOffered):
        book(visitor(at), at=at)


def test_nobody_books_everything(at: datetime) -> None:
    visit = visitor(at)
    for place in range(bookings.MOST_AHEAD):
        book(visit, wish(TUESDAY + place * HALF_AN_HOUR), at=at)

    with pytest.raises(TooMany):
        book(visit, wish(TUESDAY + timedelta(hours=3)), at=at)
    # Nor for somebody whose address they name, from one new session after the other.
    with pytest.raises(TooMany):
        book(visitor(at), wish(TUESDAY + timedelta(hours=3)), at=at)


def test_somebody_without_an_address_gets_no_confirmation_and_no_booking(at: datetime) -> None:
    with pytest.raises(NeedsAddress):
        book(visitor(at), wish(email=""), at=at)
    assert not Conversation.objects.exists()


def test_moving_and_cancelling(company: Company, at: datetime) -> None:
    booking = book(visitor(at), at=at)

    moved = bookings.move(booking.pk, TUESDAY + HALF_AN_HOUR, actor=CUSTOMER, at=at)
    assert (moved.starts_at, moved.ends_at, moved.revision) == (
        TUESDAY + HALF_AN_HOUR, TUESDAY + 2 * HALF_AN_HOUR, 1,
    )  # fmt: skip
    assert bookings.move(booking.pk, TUESDAY + HALF_AN_HOUR, actor=CUSTOMER, at=at).revision == 1

    gone = bookings.cancel(booking.pk, actor=Actor.agent(company.grace), at=at)
    assert (gone.state, gone.revision, gone.remind_at) == ("cancelled", 2, None)
    assert bookings.cancel(booking.pk, actor=CUSTOMER, at=at).revision == 2
    assert Conversation.objects.get(pk=booking.conversation_id).status == Status.OPEN
    with pytest.raises(NotBooked):
        bookings.move(booking.pk, TUESDAY, actor=CUSTOMER, at=at)
    assert _kinds(booking.conversation_id) == ["chat.booked", "chat.rebooked", "chat.booking_cancelled"]


def test_moving_to_a_full_time_leaves_it_where_it_is(at: datetime) -> None:
    BookingHours.objects.create(pk=1, seats=1)
    book(visitor(at), wish(email="one@cafe.example"), at=at)
    booking = book(visitor(at), wish(TUESDAY + HALF_AN_HOUR, email="two@cafe.example"), at=at)

    with pytest.raises(Taken):
        bookings.move(booking.pk, TUESDAY, actor=CUSTOMER, at=at)

    booking.refresh_from_db()
    assert (booking.starts_at, booking.revision) == (TUESDAY + HALF_AN_HOUR, 0)


def test_live_at_its_hour_and_not_before(at: datetime) -> None:
    visit = visitor(at)
    booking = book(visit, at=at)

    def is_live(then: datetime) -> bool:
        return chats.entitled(visit, visit.customer, at=then).is_live

    assert not is_live(at)
    assert not is_live(TUESDAY - timedelta(minutes=6))
    assert is_live(TUESDAY - timedelta(minutes=5))
    assert is_live(booking.ends_at - timedelta(seconds=1))
    assert not is_live(booking.ends_at)
    assert entitlement.of(booking.customer, at=TUESDAY).why == "booking"


def test_a_known_address_that_a_stranger_names_still_opens_their_own_booking(company: Company, at: datetime) -> None:
    visit = visitor(at)
    book(visit, wish(email="carol@acme.example"), at=at)
    Plan.objects.update(realtime=Plan.Realtime.NEVER)

    assert chats.entitled(visit, visit.customer, at=TUESDAY).why == "booking"
    assert not entitlement.of(company.carol, at=TUESDAY).is_live


def test_reminded_the_day_before_and_right_before(at: datetime) -> None:
    booking = book(visitor(at), at=at)
    day, quarter = TUESDAY - timedelta(days=1), TUESDAY - timedelta(minutes=15)

    assert bookings.sweep(day - timedelta(seconds=1)) == 0
    assert [bookings.sweep(day), bookings.sweep(day)] == [1, 0]
    assert [bookings.sweep(quarter - timedelta(seconds=1)), bookings.sweep(quarter), bookings.sweep(quarter)] == [
        0,
        1,
        0,
    ]

    assert _kinds(booking.conversation_id) == ["chat.booked", "chat.booking_reminded", "chat.booking_reminded"]
    assert Conversation.objects.get(pk=booking.conversation_id).status == Status.OPEN
    note = Message.objects.get(conversation=booking.conversation_id, kind=Message.Kind.NOTE)
    assert (note.text, note.is_automatic) == ("The booked chat begins at 14:00 (Europe/Berlin).", True)


def test_a_booking_for_soon_is_reminded_of_once(at: datetime) -> None:
    booking = book(visitor(at), wish(at + timedelta(hours=1)), at=at)

    assert bookings.sweep(booking.starts_at - timedelta(minutes=15)) == 1
    booking.refresh_from_db()
    assert booking.remind_at is None


def test_after_a_standstill_nobody_is_reminded_of_what_is_over(at: datetime) -> None:
    booking = book(visitor(at), at=at)

    assert bookings.sweep(booking.ends_at) == 1
    assert bookings.sweep(booking.ends_at) == 0

    assert _kinds(booking.conversation_id) == ["chat.booked", "chat.booking_missed"]


def test_what_is_written_at_the_hour_is_live_in_the_same_conversation(at: datetime) -> None:
    visit = visitor(at)
    booking = book(visit, at=at)
    bookings.sweep(TUESDAY - timedelta(days=1))
    bookings.sweep(TUESDAY - timedelta(minutes=15))
    chat = Chat.objects.get(pk=booking.conversation_id)

    say(visit, chat, "Here I am.", at=TUESDAY)

    chat.refresh_from_db()
    assert (chat.mode, chat.state) == (Chat.Mode.CHAT, Chat.State.WAITING)
    bookings.sweep(booking.ends_at)
    booking.refresh_from_db()
    assert booking.state == Booking.State.HELD


def test_booked_outside_office_hours_it_is_live_all_the_same(at: datetime) -> None:
    early = calendars.create_calendar("early", "Europe/Berlin", {"tue": [["06:00", "07:00"]]}, at=at)
    booking_hours.save({"calendar": early})
    six = datetime(2026, 1, 13, 5, 0, tzinfo=UTC)
    visit = visitor(at)
    booking = book(visit, wish(six), at=at)
    bookings.sweep(six - timedelta(minutes=15))

    say(visit, Chat.objects.get(pk=booking.conversation_id), "Good morning", at=six)

    assert Chat.objects.get(pk=booking.conversation_id).state == Chat.State.WAITING


def test_nobody_has_to_take_it_before_its_hour_comes_near(at: datetime) -> None:
    booking = book(visitor(at), at=at)

    def running() -> dict[str, datetime | None]:
        clocks = Clock.objects.filter(conversation=booking.conversation_id, met_at=None, cancelled_at=None)
        return dict(clocks.filter(paused_at=None).values_list("target", "due_at"))

    assert running() == {}

    bookings.sweep(TUESDAY - timedelta(days=1))
    bookings.sweep(TUESDAY - timedelta(minutes=15))

    assert running().keys() == {"dispatch", "first_response"}
    assert running()["dispatch"] == TUESDAY + timedelta(minutes=45)
    bookings.move(booking.pk, TUESDAY + timedelta(days=1), actor=CUSTOMER, at=TUESDAY - timedelta(minutes=10))
    assert running() == {}
    bookings.cancel(booking.pk, actor=CUSTOMER, at=TUESDAY)
    assert running().keys() == {"dispatch", "first_response"}


def test_moved_from_its_hour_it_waits_again(at: datetime) -> None:
    booking = book(visitor(at), at=at)
    bookings.sweep(TUESDAY - timedelta(days=1))
    bookings.sweep(TUESDAY - timedelta(minutes=15))

    bookings.move(booking.pk, TUESDAY + timedelta(days=1), actor=CUSTOMER, at=TUESDAY - timedelta(minutes=10))

    assert Chat.objects.get(pk=booking.conversation_id).mode == Chat.Mode.TICKET
    assert Conversation.objects.get(pk=booking.conversation_id).status == Status.ON_HOLD


def test_one_that_fails_keeps_no_other_waiting(at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    first = book(visitor(at), wish(email="one@cafe.example"), at=at)
    second = book(visitor(at), wish(email="two@cafe.example"), at=at)
    finish = bookings._finish

    def fails(booking: Booking, now: datetime) -> None:
        if booking.pk == first.pk:
            raise RuntimeError("broken")
        finish(booking, now)

    monkeypatch.setattr(bookings, "_finish", fails)

    assert bookings.sweep(first.ends_at) == 1
    second.refresh_from_db()
    assert second.state == Booking.State.MISSED


def test_booking_at_night_calls_nobody(company: Company) -> None:
    night = datetime(2026, 1, 12, 23, 0, tzinfo=UTC)

    book(visitor(night, signed="gil@globex.example"), wish(TUESDAY + timedelta(days=1), email=""), at=night)
    while outbox.drain(night):
        pass

    assert not Page.objects.exists()
