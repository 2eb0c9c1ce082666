"""Many want the last seat at the same moment, and one browser sends its request from two tabs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
from django.db import connection

from chat import bookings
from chat.bookings import Taken
from chat.models import Booking
from helpdesk.conversations.models import Conversation
from helpdesk.events.models import Event
from tests.chat.booking import TUESDAY, wish
from tests.chat.continuing import visitor
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db(transaction=True)


def _at_once(steps: list[Callable[[], object]]) -> list[object]:
    """Run them side by side; what each returned or raised."""
    ready = Barrier(len(steps))

    def run(step: Callable[[], object]) -> object:
        try:
            ready.wait()
            return step()
        except Taken as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as threads:
        return list(threads.map(run, steps))


def test_no_more_than_there_are_seats(company: Company, at: datetime) -> None:
    visits = [visitor(at) for _ in range(6)]

    def booking(place: int) -> Callable[[], object]:
        return lambda: bookings.book(visits[place], wish(email=f"n{place}@cafe.example"), at=at)

    done = _at_once([booking(place) for place in range(6)])

    assert sum(isinstance(one, Taken) for one in done) == 4
    assert sorted(Booking.objects.values_list("seat", flat=True)) == [1, 2]
    # Who came too late leaves no conversation behind.
    assert Conversation.objects.count() == Event.objects.filter(kind=bookings.BOOKED).count() == 2


def test_one_request_twice_at_once_is_one_booking(company: Company, at: datetime) -> None:
    visit, given = visitor(at), wish()

    done = _at_once([lambda: bookings.book(visit, given, at=at)[0].pk] * 4)

    assert len(set(done)) == 1
    assert Booking.objects.count() == Conversation.objects.count() == 1


def test_two_sweeps_remind_once(company: Company, at: datetime) -> None:
    bookings.book(visitor(at), wish(), at=at)
    due = TUESDAY - bookings.REMINDERS[0]

    done = _at_once([lambda: bookings.sweep(due)] * 3)

    assert sorted(map(str, done)) == ["0", "0", "1"]
    assert Event.objects.filter(kind=bookings.REMINDED).count() == 1
