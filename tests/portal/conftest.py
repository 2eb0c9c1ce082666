"""Customers who are signed in, in tests."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now
from pytest_django import Settings

from helpdesk import limits
from helpdesk.customers import sessions
from helpdesk.customers.models import Customer, CustomerSession

SignedIn = Callable[[Customer], Client]


@pytest.fixture(autouse=True)
def _fresh(settings: Settings) -> None:
    limits.forget()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def signed_in() -> SignedIn:
    """A browser in which this customer is signed in."""

    def enter(customer: Customer) -> Client:
        browser, token, at = Client(), f"token-of-{customer.pk}-{'x' * 30}", now()
        values = {"customer": customer, "how": "link", "began_at": at, "seen_at": at, "ends_at": at + timedelta(days=1)}
        CustomerSession.objects.update_or_create(digest=sessions._digest(token), defaults=values)
        browser.cookies[sessions.COOKIE] = token
        return browser

    return enter
