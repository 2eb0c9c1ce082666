"""What affects a customer: known by a mailed link and its cookie, private components included, and nobody else's."""

from datetime import datetime

import pytest
from django.core import mail as outbox
from django.core import signing
from django.test import Client
from django.utils.timezone import now
from pytest_django import Settings

from helpdesk import limits
from helpdesk.customers.models import Customer, Organization, Service
from helpdesk.events.models import Event
from status import customers_own, incidents
from status.incidents import Opening, Words
from tests.fixtures.company import Company
from tests.fixtures.status import component

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_floods_before(settings: Settings) -> None:
    limits.forget()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


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
    client.cookies[customers_own.COOKIE] = customers_own.cookie_of(customer)
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
    for value in ("", "1", "forged", signing.dumps(1, salt="something else"), "x" * 5000):
        client = Client()
        client.cookies[customers_own.COOKIE] = value
        answer = client.get("/status/")
        assert answer.status_code == 200 and "What affects you" not in answer.content.decode()
        assert "public" in answer["Cache-Control"]


def test_from_the_form_by_mail_to_the_page(company: Company, at: datetime) -> None:
    client = Client()
    assert client.get("/status/mine/").status_code == 200
    answer = client.post("/status/mine/", {"email": "Carol@acme.example"})
    assert "a link is on its way" in answer.content.decode()
    event = Event.objects.get(kind=customers_own.ASKED)
    customers_own.send_link(event, event.at)
    (sent,) = outbox.outbox
    assert sent.to == [company.carol.email]
    link = next(word for word in str(sent.body).split() if "/status/mine/?key=" in word)

    shown = client.get(link[link.index("/status/") :], follow=True)
    assert "What affects you" in shown.content.decode()
    cookie = client.cookies[customers_own.COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/status/"

    client.post("/status/mine/", {"forget": "1"})
    assert "What affects you" not in client.get("/status/").content.decode()


def test_nobody_learns_who_is_known(company: Company) -> None:
    known = Client().post("/status/mine/", {"email": "carol@acme.example"}).content
    unknown = Client().post("/status/mine/", {"email": "nobody@nowhere.example"}).content
    assert "on its way" in known.decode() and len(known) == len(unknown)
    assert Event.objects.filter(kind=customers_own.ASKED).count() == 1


def test_a_mailbox_is_not_flooded_and_a_network_does_not_flood(company: Company) -> None:
    client = Client()
    answers = [client.post("/status/mine/", {"email": "carol@acme.example"}).status_code for _ in range(12)]
    assert answers == [200] * 10 + [429] * 2
    assert Event.objects.filter(kind=customers_own.ASKED).count() == 3


@pytest.mark.parametrize("address", ["", "nonsense", "a@b\r\nBcc: c@d.example", "x" * 400 + "@y.example"])
def test_what_is_no_address_is_said(company: Company, address: str) -> None:
    assert Client().post("/status/mine/", {"email": address}).status_code == 422


def test_old_and_forged_links_are_refused(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    forged = Client().get("/status/mine/", {"key": "forged"})
    assert forged.status_code == 403 and customers_own.COOKIE not in forged.cookies
    token = signing.dumps(company.carol.pk, salt="status.customer.link")
    assert customers_own.of_link(token) == company.carol
    # A cookie's value is no link, and a link's no cookie.
    assert customers_own.of_link(customers_own.cookie_of(company.carol)) is None
    assert customers_own.of_cookie(token) is None
    Customer.objects.filter(pk=company.carol.pk).update(blocked_at=now())
    assert customers_own.of_link(token) is None
