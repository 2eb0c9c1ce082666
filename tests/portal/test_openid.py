"""Single sign-on of customers, against a provider that speaks the protocol: whatever is wrong lets nobody in."""

import re
import time
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from django.test import Client
from django.utils.timezone import now
from pytest_django import Settings

from helpdesk.customers import sessions
from helpdesk.customers.models import Customer, CustomerSession
from portal.models import Subject
from tests.fixtures.company import Company
from tests.people.provider import CLIENT, SECRET, Provider, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(company: Company, settings: Settings) -> Iterator[Provider]:
    with running() as provider:
        settings.CUSTOMER_OIDC_SERVER_URL = provider.url
        settings.CUSTOMER_OIDC_CLIENT_ID, settings.CUSTOMER_OIDC_CLIENT_SECRET = CLIENT, SECRET
        settings.CUSTOMER_OIDC_NAME = "Acme ID"
        provider.claims = {"email": "carol@acme.example"}
        yield provider


def _come_in(provider: Provider, browser: Client | None = None, **changed: str) -> Any:
    browser = browser or Client()
    page = browser.post("/portal/sign-in/provider/", {"next": "/portal/plan/"}).content.decode()
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page)
    assert found is not None, page
    return browser.get("/portal/sign-in/provider/answer/", {**provider.authorize(unescape(found[1])), **changed})


def test_a_customer_comes_in_by_the_verified_address_and_then_by_the_id(company: Company, provider: Provider) -> None:
    assert b"Sign in with Acme ID" in Client().get("/portal/").content
    answer = _come_in(provider)
    assert (answer.status_code, answer["Location"]) == (302, "/portal/plan/") and answer.cookies[sessions.COOKIE]
    assert CustomerSession.objects.get().how == "oidc"
    provider.claims = {"email": "carol@new.example", "email_verified": False}
    assert _come_in(provider).status_code == 302
    # The address given to somebody else opens nothing.
    provider.claims = {"email": "carol@acme.example", "sub": "8"}
    assert _come_in(provider).status_code == 403
    Customer.objects.filter(pk=company.carol.pk).update(blocked_at=now())
    provider.claims = {}
    assert _come_in(provider).status_code == 403


def test_whatever_is_wrong_lets_nobody_in(company: Company, provider: Provider) -> None:
    good = dict(provider.claims)
    key = provider.key
    wrongs: list[dict[str, Any]] = [
        {"nonce": "other"}, {"aud": "other"}, {"iss": "https://evil.example"}, {"exp": int(time.time()) - 900},
        {"email_verified": False}, {"email": "no@where.example"}, {"sub": ""}, {"sub": 7},
        {"aud": [CLIENT, "other"]}, {"email": "x\x00@y.example"},
    ]  # fmt: skip
    for wrong in wrongs:
        provider.claims = good | wrong
        assert _come_in(provider).status_code == 403, wrong
    provider.claims = good
    provider.dropped = {"nonce"}
    assert _come_in(provider).status_code == 403
    provider.dropped = set()
    provider.key = generate_private_key(65537, 2048)
    assert _come_in(provider).status_code == 403, "another key"
    provider.key, provider.id_token = key, "no.token.at-all"
    assert _come_in(provider).status_code == 403
    provider.id_token = None
    assert _come_in(provider, state="other").status_code == 403
    assert _come_in(provider, code="other").status_code == 403
    assert Client().get("/portal/sign-in/provider/answer/", {"code": "code0", "state": "x"}).status_code == 403
    for unusable in ("no key", 7, None):
        provider.keys = {"keys": [unusable]}
        assert _come_in(provider).status_code == 403, unusable
    provider.keys = None
    provider.config = {"issuer": "https://evil.example"}
    assert Client().post("/portal/sign-in/provider/").status_code == 403
    assert not CustomerSession.objects.exists() and not Subject.objects.exists()


def test_new_customers_are_made_only_where_that_is_wanted(provider: Provider, settings: Settings) -> None:
    provider.claims = {"email": "new@acme.example", "name": "New One", "sub": "9"}
    assert _come_in(provider).status_code == 403
    settings.CUSTOMER_OIDC_CREATE_CUSTOMERS = True
    assert _come_in(provider).status_code == 302
    made = Customer.objects.get(email="new@acme.example")
    assert made.name == "New One" and made.organization is not None, "by the domain of the address"


def test_without_a_provider_there_is_none(company: Company) -> None:
    assert Client().post("/portal/sign-in/provider/").status_code == 404
    assert Client().get("/portal/sign-in/provider/answer/").status_code == 404
