"""Customers who are signed in, in tests."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from helpdesk import limits
from helpdesk.customers.models import Customer
from tests.fixtures.customers import sign_in

SignedIn = Callable[[Customer], Client]


@pytest.fixture(autouse=True)
def _fresh(settings: Settings) -> None:
    limits.forget()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def signed_in() -> SignedIn:
    """A browser in which this customer is signed in."""

    def enter(customer: Customer) -> Client:
        browser = Client()
        sign_in(browser, customer)
        return browser

    return enter
