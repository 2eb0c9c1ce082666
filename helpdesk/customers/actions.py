"""Finding and making the people a message comes from, and what their plan gives them."""

import hashlib
import secrets
from datetime import datetime

from django.db import transaction

from helpdesk.customers.lookup import customer_of, make_customer
from helpdesk.customers.models import ApiToken, Customer, User

TOKEN_BYTES = 30


def find_or_create_customer(channel: str, handle: str, name: str, *, at: datetime) -> Customer:
    """The customer behind a handle; made on first sight, in the organization whose mail domain it is.

    Two first mails at once make one customer: the handle is unique, and the loser takes the winner's.
    """
    handle = handle.strip().lower() if channel == "email" else handle.strip()
    found = customer_of(channel, handle)
    if found is not None:
        if name and not found.name:
            Customer.objects.filter(pk=found.pk, name="").update(name=name[:200])
            found.name = name[:200]
        return found
    with transaction.atomic(savepoint=False):
        made, is_first = make_customer(channel, handle, name, at=at)
        if is_first:
            return made
        made.delete()
        winner = customer_of(channel, handle)
    assert winner is not None, "whoever was first has committed, or our insert would not have met theirs"
    return winner


def create_token(user: User, name: str = "", *, at: datetime) -> str:
    """A new API token of this agent. It is returned once; only its digest is kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    ApiToken.objects.create(user=user, name=name, digest=digest(token), created_at=at)
    return token


def digest(token: str) -> str:
    """SHA-256 is enough for 240 random bits: there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()
