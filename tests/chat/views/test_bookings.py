"""The page behind the link in a booking's mails: it shows, moves and cancels, and does nothing by being opened."""

import re
from datetime import datetime

import pytest
from django.core import signing
from django.test import Client

from chat import booking_mails
from chat.models import Booking, BookingHours
from tests.chat.booking import HALF_AN_HOUR, TUESDAY, book, wish
from tests.chat.continuing import visitor
from tests.fixtures.company import Company

pytestmark = pytest.mark.time_machine(datetime.fromisoformat("2026-01-12T08:00Z"), tick=False)


@pytest.fixture
def booking(company: Company, at: datetime) -> Booking:
    return book(visitor(at), wish(timezone="Africa/Lagos"), at=at)


def _where(booking: Booking) -> str:
    return f"/chat/bookings/{booking_mails.token(booking)}/"


def _ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


def test_opening_it_shows_it_and_does_nothing(booking: Booking) -> None:
    for _ in range(2):
        page = Client().get(_where(booking)).content.decode()

    assert "Tuesday 13 January 2026, 14:00–14:30 (Africa/Lagos)" in page and "Moving our shop" in page
    assert "#resume=" in page
    booking.refresh_from_db()
    assert (booking.state, booking.revision) == ("booked", 0)


def test_moving_it_to_a_time_from_the_list(booking: Booking) -> None:
    page = Client().get(_where(booking)).content.decode()
    times = re.findall(r'<option value="(\d+)">', page)
    assert _ms(TUESDAY + HALF_AN_HOUR) in times

    answer = Client().post(_where(booking), {"starts_at": _ms(TUESDAY + HALF_AN_HOUR)}, follow=True)

    assert "14:30–15:00" in answer.content.decode() and "Your chat is moved." in answer.content.decode()


def test_a_time_that_is_gone_is_said(booking: Booking, at: datetime) -> None:
    BookingHours.objects.create(pk=1, seats=1)
    book(visitor(at), wish(TUESDAY + HALF_AN_HOUR, email="other@cafe.example"), at=at)

    answer = Client().post(_where(booking), {"starts_at": _ms(TUESDAY + HALF_AN_HOUR)})

    assert answer.status_code == 422
    assert "Somebody was quicker" in answer.content.decode()


def test_cancelling_ends_it(booking: Booking) -> None:
    page = Client().post(_where(booking), follow=True).content.decode()

    assert "It is cancelled." in page and "<option" not in page and "#resume=" not in page
    assert Client().post(_where(booking), {"starts_at": _ms(TUESDAY)}).status_code == 422
    booking.refresh_from_db()
    assert booking.state == "cancelled"


@pytest.mark.parametrize("value", ["", "soon", "-1", "9" * 15, "9" * 400, "1.5", "\u0664\u0662"])
def test_nonsense_moves_nothing(value: str, booking: Booking) -> None:
    assert Client().post(_where(booking), {"starts_at": value}).status_code == 422
    booking.refresh_from_db()
    assert (booking.starts_at, booking.revision) == (TUESDAY, 0)


def test_only_our_links_open_it(booking: Booking) -> None:
    true = booking_mails.token(booking)
    forged = (
        "x", str(booking.public_id), true[:-1] + ("B" if true.endswith("A") else "A"), "x" * 500,
        signing.dumps(str(booking.public_id), salt="chat.link"), signing.dumps(["x"], salt=booking_mails.SALT),
    )  # fmt: skip
    for token in forged:
        assert Client().get(f"/chat/bookings/{token}/").status_code == 404
    assert Client(enforce_csrf_checks=True).post(_where(booking)).status_code == 403


def test_in_the_customers_language(company: Company, at: datetime) -> None:
    booking = book(visitor(at), wish(language="de"), at=at)

    page = Client().get(_where(booking)).content.decode()

    assert '<html lang="de"' in page and "Dienstag, 13. Januar 2026" in page
