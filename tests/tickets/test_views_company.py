"""Whose helpdesk this is: said in the shell, at the login, on customers' pages, in mails, on a phone."""

import pytest
from django.core.cache import caches
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from helpdesk.customers import company as companies
from helpdesk.people.second_factor import SecondFactorAdapter
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tickets.mail import composing
from tickets.models import Mailbox

NAME = {"name": "Nordlicht & Söhne GmbH", "logo_text": "Nordlicht"}


@pytest.fixture
def named(company: Company) -> Company:
    companies.save_company(NAME)
    return company


def test_nobody_has_named_it(company: Company, client: Client) -> None:
    assert companies.names() == ("", "")
    assert "· Helpdesk</title>" in logged_in(company.ada).get("/desk/").content.decode()
    assert "<title>Help</title>" in client.get("/").content.decode()


def test_every_page_says_whose_it_is(named: Company, client: Client) -> None:
    desk = logged_in(named.ada).get("/desk/").content.decode()
    assert "· Nordlicht</title>" in desk and 'ell">Nordlicht</span>' in desk
    for path in ("/", "/tickets/new/", "/nowhere/"):
        page = client.get(path).content.decode()
        assert "· Nordlicht &amp; Söhne GmbH</title>" in page and "<span>Nordlicht</span>" in page
    assert "Nordlicht" in client.get(reverse("login")).content.decode()
    assert SecondFactorAdapter().get_totp_issuer() == NAME["name"]


def test_a_new_name_is_seen_at_once(named: Company) -> None:
    ada = logged_in(named.ada)
    ada.post("/desk/settings/company/", {"name": "Südlicht", "logo_text": "", "languages": ["de"]})
    assert "· Südlicht</title>" in ada.get("/desk/").content.decode()


def test_mails_end_with_it_where_a_mailbox_has_no_signature(named: Company) -> None:
    mailbox = Mailbox.objects.order_by("pk")[0]
    assert composing.footer_of(mailbox) == NAME["name"]
    mailbox.signature = "Your support"
    assert composing.footer_of(mailbox) == "Your support"


def test_a_database_that_is_away_leaves_it_unnamed(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(companies, "company", gone)
    caches["process"].delete(companies.NAMES)
    assert companies.names() == ("", "")


def test_a_phone_installs_it(named: Company, client: Client) -> None:
    answer = client.get("/manifest.webmanifest")
    shown = answer.json()

    assert answer["Content-Type"] == "application/manifest+json" and not answer.cookies
    assert (shown["name"], shown["start_url"], shown["display"]) == ("Nordlicht", "/desk/", "standalone")
    assert {icon["sizes"] for icon in shown["icons"]} == {"192x192", "512x512"}
    assert [icon["purpose"] for icon in shown["icons"] if "purpose" in icon] == ["maskable"]
    assert client.get("/favicon.ico")["Location"].endswith(".png")
    page = logged_in(named.ada).get("/desk/").content.decode()
    assert 'rel="manifest" href="/manifest.webmanifest"' in page and 'rel="apple-touch-icon"' in page
