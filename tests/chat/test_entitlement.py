"""Who may chat live: by plan, in the first days, by a grant, or at a booked hour."""

from datetime import UTC, datetime, timedelta

import pytest

from chat import chats, entitlement
from chat.models import Booking, Visit
from helpdesk.customers.models import Customer, Plan
from tests.chat.continuing import visitor
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def _booked(visit: Visit, customer: Customer, starts_at: datetime) -> Booking:
    return Booking.objects.create(
        widget=visit.widget,
        visit=visit,
        customer=customer,
        seat=1,
        email=customer.email,
        starts_at=starts_at,
        ends_at=starts_at + 30 * MINUTE,
        booked_at=starts_at - DAY,
    )


@pytest.mark.parametrize(("name", "why"), [("uma", "plan"), ("gil", "plan"), ("ivy", "first_days"), ("carol", "none")])
def test_by_the_plan_of_the_organization(company: Company, at: datetime, name: str, why: str) -> None:
    found = entitlement.of(getattr(company, name), at=at)

    assert (found.is_live, found.why) == (why != "none", why)


def test_the_first_days_end_at_midnight_in_the_offices_zone(company: Company, at: datetime) -> None:
    found = entitlement.of(company.ivy, at=at)

    assert found.until is not None
    # Midnight in Berlin, in winter.
    assert (found.until.hour, found.until.minute, found.until.tzinfo) == (23, 0, UTC)
    assert entitlement.of(company.ivy, at=found.until - MINUTE).is_live
    assert not entitlement.of(company.ivy, at=found.until).is_live


def test_a_stranger_is_new_today(company: Company, at: datetime) -> None:
    assert entitlement.of(None, at=at).why == "first_days"
    Plan.objects.update(is_default=False)
    assert not entitlement.of(None, at=at).is_live


def test_a_plan_without_the_channel_does_not_include_it(company: Company, at: datetime) -> None:
    Plan.objects.filter(name="Enterprise").update(realtime_channels=["telegram"])
    company.gil.refresh_from_db()

    assert not entitlement.of(company.gil, at=at).is_live


def test_a_grant_holds_until_its_end(company: Company, at: datetime) -> None:
    chats.grant(company.carol, company.ada, until=at + DAY, at=at)

    assert not entitlement.of(company.carol, at=at - MINUTE).is_live
    found = entitlement.of(company.carol, at=at)
    assert (found.why, found.until) == ("grant", at + DAY)
    assert not entitlement.of(company.carol, at=at + DAY).is_live
    assert entitlement.of(company.uma, at=at).why != "grant"


def test_a_booked_hour_opens_a_little_before(company: Company, at: datetime) -> None:
    booking = _booked(visitor(at), company.carol, at)

    times = [-6 * MINUTE, -5 * MINUTE, 29 * MINUTE, 30 * MINUTE]
    assert [entitlement.of(company.carol, at=at + after).is_live for after in times] == [False, True, True, False]
    booking.state = Booking.State.CANCELLED
    booking.save()
    assert not entitlement.of(company.carol, at=at).is_live


def test_who_names_an_address_has_no_more_than_its_customer(company: Company, at: datetime) -> None:
    visit = visitor(at)
    claims = Customer(name="N", email=company.carol.email, created_at=at)
    claims.save()

    assert not chats.entitled(visit, claims, at=at).is_live
    chats.grant(claims, company.ada, until=at + DAY, at=at)
    assert chats.entitled(visit, claims, at=at).why == "grant"
