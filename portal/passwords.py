"""Passwords, for who wants one: set by who is signed in, hashed as agents' are, locked after ten wrong ones."""

from datetime import datetime, timedelta
from functools import cache
from typing import Final

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from helpdesk.customers.lookup import customer_of
from helpdesk.customers.models import Customer
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER
from helpdesk.limits import Limit, network_of, take
from portal.models import Password

# As for agents (ACCOUNT_RATE_LIMITS): of one network, and of one account.
TRIES_OF_NETWORK: Final = Limit(30, 30 / 300)
MOST_FAILED: Final = 10
FAILED_WINDOW: Final = timedelta(minutes=15)
CHANGED: Final = "portal.password_changed"
"""A customer has a password, another one, or none any more: {customer, is_gone}."""


class TooMany(ValueError):
    """Too many from this network."""


def set_password(customer: Customer, password: str, *, at: datetime) -> None:
    """Have this password from now on, and be told so. Raises ValidationError for one that is easily guessed."""
    validate_password(password)
    values = {"hashed": make_password(password), "changed_at": at, "failed": 0, "failed_since": None}
    with transaction.atomic():
        Password.objects.update_or_create(customer=customer, defaults=values)
        record(Fact(CHANGED, None, CUSTOMER, data={"customer": customer.pk, "is_gone": False}), at=at)


@transaction.atomic
def remove(customer: Customer, *, at: datetime) -> None:
    """Sign in by mail alone, and be told so."""
    if Password.objects.filter(customer=customer).delete()[0]:
        record(Fact(CHANGED, None, CUSTOMER, data={"customer": customer.pk, "is_gone": True}), at=at)


def check(address: str, password: str, *, remote: str, at: datetime) -> Customer | None:
    """The customer whose address and password these are. A locked account refuses the right one too, and looks the
    same. Hashing takes its time for strangers as well. Raises TooMany.
    """
    if take(TRIES_OF_NETWORK, f"portal password:{network_of(remote)}"):
        raise TooMany
    customer = customer_of("email", address.strip().lower()[:254])
    with transaction.atomic():
        row = Password.objects.select_for_update().filter(customer=customer).first() if customer is not None else None
        is_right = check_password(password[:1000], row.hashed if row else _nobodys())
        if row is None or customer is None:
            return None
        if row.failed_since is None or row.failed_since <= at - FAILED_WINDOW:
            row.failed, row.failed_since = 0, None
        is_locked = row.failed >= MOST_FAILED
        if is_right and not is_locked and customer.blocked_at is None:
            Password.objects.filter(pk=row.pk).update(failed=0, failed_since=None)
            return customer
        Password.objects.filter(pk=row.pk).update(
            failed=min(row.failed + 1, 1000) if row.failed else 1, failed_since=row.failed_since or at
        )
    return None


@cache
def _nobodys() -> str:
    """A hash that no password fits, made as all others are; once a process, since making one is as slow as checking."""
    return make_password("nobody has this one")
