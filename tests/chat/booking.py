"""Booking a chat in a test."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from chat import bookings
from chat.bookings import Wish
from chat.models import Booking, Visit

# Tuesday, 14:00 in Berlin: a day and some after the tests' Monday morning.
TUESDAY = datetime(2026, 1, 13, 13, 0, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)


def wish(
    starts_at: datetime = TUESDAY,
    *,
    client_id: UUID | None = None,
    topic: str = "Moving our shop",
    email: str = "nora@cafe.example",
    language: str = "",
    timezone: str = "",
) -> Wish:
    return Wish(client_id or uuid4(), starts_at, topic, email, "Nora", language, timezone)


def book(visit: Visit, given: Wish | None = None, *, at: datetime) -> Booking:
    booking, _is_new = bookings.book(visit, given or wish(), at=at)
    return booking
