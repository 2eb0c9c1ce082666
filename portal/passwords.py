"""Passwords, for who wants one: set by who is signed in, hashed as agents' are, locked after ten wrong ones."""

from datetime import datetime, timedelta
from functools import cache
from typing import Final

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from helpdesk.customers.models import Customer, Identity
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER
from helpdesk.limits import Limit, network_of, take
from portal.models import Password, WrongPasswords

# As for agents (ACCOUNT_RATE_LIMITS): of one network, and of one account.
TRIES_OF_NETWORK: Final = Limit(30, 30 / 300)
MOST_FAILED: Final = 10
FAILED_WINDOW: Final = timedelta(minutes=15)
CHANGED: Final = "portal.password_changed"
"""A customer has a password, another one, or none any more: {customer, is_gone}."""

_SALT: Final = "portal.password"
_COUNT: Final = f"""
INSERT INTO {WrongPasswords._meta.db_table} AS known (address_digest, count, since) VALUES (%(digest)s, 1, %(at)s)
ON CONFLICT (address_digest) DO UPDATE SET
    count = CASE WHEN known.since <= %(over)s THEN 1 ELSE least(known.count + 1, 1000) END,
    since = CASE WHEN known.since <= %(over)s THEN excluded.since ELSE known.since END
RETURNING count
"""


class TooMany(ValueError):
    """Too many from this network."""


def set_password(customer: Customer, password: str, *, at: datetime) -> None:
    """Have this password from now on, and be told so. Raises ValidationError for one that is easily guessed."""
    validate_password(password)
    values = {"hashed": make_password(password), "changed_at": at}
    with transaction.atomic():
        Password.objects.update_or_create(customer=customer, defaults=values)
        _forget_wrong(customer)
        record(Fact(CHANGED, None, CUSTOMER, data={"customer": customer.pk, "is_gone": False}), at=at)


@transaction.atomic
def remove(customer: Customer, *, at: datetime) -> None:
    """Sign in by mail alone, and be told so."""
    if Password.objects.filter(customer=customer).delete()[0]:
        record(Fact(CHANGED, None, CUSTOMER, data={"customer": customer.pk, "is_gone": True}), at=at)


def check(address: str, password: str, *, remote: str, at: datetime) -> Customer | None:
    """The customer whose address and password these are. A locked account refuses the right one too, and looks the
    same. Strangers take the same statements and the same hashing. Raises TooMany.
    """
    if take(TRIES_OF_NETWORK, f"portal password:{network_of(remote)}"):
        raise TooMany
    address = address.strip().lower()[:254]
    # Counted before it is looked at: however many try at once, no more are tried.
    is_locked = _count(_digest(address), at) > MOST_FAILED
    held = Password.objects.select_related("customer__organization__plan")
    row = held.filter(customer__identities__channel="email", customer__identities__handle=address).first()
    is_right = check_password(password[:1000], row.hashed if row else _nobodys())
    if row is None or is_locked or not is_right or row.customer.blocked_at is not None:
        return None
    _forget_wrong(row.customer)
    return row.customer


def forget_ended(*, at: datetime) -> int:
    """Remove what is counted no more."""
    return WrongPasswords.objects.filter(since__lte=at - FAILED_WINDOW).delete()[0]


def _count(digest: str, at: datetime) -> int:
    """One more try for an address; how many there were within the window."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"digest": digest, "at": at, "over": at - FAILED_WINDOW})
        return int(cursor.fetchone()[0])


def _forget_wrong(customer: Customer) -> None:
    handles = Identity.objects.filter(customer=customer, channel="email").values_list("handle", flat=True)
    WrongPasswords.objects.filter(pk__in=[_digest(handle) for handle in handles]).delete()


def _digest(address: str) -> str:
    return salted_hmac(_SALT, address, algorithm="sha256").hexdigest()


@cache
def _nobodys() -> str:
    """A hash that no password fits, made as all others are; once a process, since making one is as slow as checking."""
    return make_password("nobody has this one")
