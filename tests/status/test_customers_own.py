"""What affects a customer who is signed in: private components included, and nobody else's."""

from datetime import datetime

import pytest
from django.test import Client
from django.utils.timezone import now

from helpdesk.customers import sessions
from helpdesk.customers.models import Customer, Organization, Service
from status import incidents
from status.incidents import Opening, Words
from tests.fixtures.company import Company
from tests.fixtures.customers import sign_in
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db


def _outage(company: Company, at: datetime, name: str, owner: Organization, *, is_private: bool = False) -> None:
    service = Service.objects.create(kind="server", name=f"{name}.example")
    service.organizations.add(owner)
    one = component(name, at, is_private=is_private)
    one.services.add(service)
    words = Words("investigating", "We look.", {one.pk: "major_outage"})
    incidents.open_incident(Opening(f"Trouble of {name}", words), company.ada, at=at)


def _organization(customer: Customer) -> Organization:
    assert customer.organization is not None
    return customer.organization


def _page_of(customer: Customer, path: str = "/status/") -> str:
    client = Client()
    sign_in(client, customer)
    answer = client.get(path)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
    return answer.content.decode()


def test_own_trouble_stands_first_and_private_components_are_seen_by_their_customers(
    company: Company, at: datetime
) -> None:
    _outage(company, at, "theirs", _organization(company.gil))
    _outage(company, at, "own-private", _organization(company.carol), is_private=True)

    page = _page_of(company.carol)
    own, _heading, others = page.partition('id="now"')
    assert "What affects you" in own and "Trouble of own-private" in own and "Trouble of theirs" not in own
    assert "Trouble of theirs" in others
    assert "own-private" not in _page_of(company.gil)
    assert "own-private" not in Client().get("/status/").content.decode()
    assert 'lang="de"' in _page_of(company.carol, "/status/de/")


def test_who_has_nothing_with_us_is_told_that_nothing_is_wrong(company: Company, at: datetime) -> None:
    nobody = Customer.objects.create(email="new@shop.example", created_at=at)
    assert "Nothing is wrong with what you have with us." in _page_of(nobody)


def test_a_forged_cookie_shows_what_everybody_sees(company: Company) -> None:
    for value in ("", "1", "forged", "x" * 40, "x" * 5000):
        client = Client()
        client.cookies[sessions.COOKIE] = value
        answer = client.get("/status/")
        assert answer.status_code == 200 and "What affects you" not in answer.content.decode()
        assert "public" in answer["Cache-Control"]


def test_what_affects_me_leads_to_the_portal_and_back(company: Company) -> None:
    client = Client()
    assert client.get("/status/mine/")["Location"] == "/portal/?next=%2Fstatus%2F"
    sign_in(client, company.carol)
    assert client.get("/status/mine/")["Location"] == "/status/"
    assert "What affects you" in client.get("/status/").content.decode()
    Customer.objects.filter(pk=company.carol.pk).update(blocked_at=now())
    assert "What affects you" not in client.get("/status/").content.decode()
