"""Signing in by mail: a link that wants a press of a button, and a code of six digits for those on another device.

Whoever asks learns nothing: they are answered before anybody has looked whether the address is known, which a worker
does. What a scanner of mails opens does nothing. A code allows five tries, a mailbox ten asks an hour.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from django.core import signing
from django.db import transaction
from django.utils.crypto import salted_hmac

from helpdesk.customers.lookup import customer_of
from helpdesk.customers.models import Customer, Identity
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER
from helpdesk.limits import Limit, network_of, take
from portal.models import SignIn

LASTS: Final = timedelta(minutes=30)
MOST_TRIES: Final = 5
DIGITS: Final = 6
ASKED: Final = "portal.sign_in_asked"
"""Somebody asked for a link: {sign_in}. The mail follows, where a customer is behind it."""
ASKS_OF_NETWORK: Final = Limit(20, 20 / 3600)
CODES_OF_NETWORK: Final = Limit(30, 30 / 3600)
PER_MAILBOX: Final = 10
_PER_MAILBOX_WINDOW: Final = timedelta(hours=1)
_LINK_SALT: Final = "portal.sign_in.link"
_ASK_SALT: Final = "portal.sign_in.ask"
_CODE_SALT: Final = "portal.sign_in.code"
_LONGEST_TOKEN: Final = 200
_LONGEST_ADDRESS: Final = 254


class TooMany(ValueError):
    """More was asked for, or tried, than one network may."""


class NotGood(ValueError):
    """A link or a code that signs nobody in."""


class Expired(NotGood):
    """It was good for half an hour, which is over."""


class UsedBefore(NotGood):
    """It has signed somebody in already."""


class WrongCode(NotGood):
    """Not the code that was mailed; `left` is how many tries there are."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} tries left")
        self.left = left


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody at `remote` asks for; `goes_to` is the path to be led to afterwards."""

    address: str
    language: str
    remote: str
    goes_to: str = ""


def ask(asked: Asked, *, at: datetime) -> str:
    """Take the wish to sign in; the token by which the page for the code knows it again. Raises TooMany."""
    if take(ASKS_OF_NETWORK, f"portal ask:{network_of(asked.remote)}"):
        raise TooMany
    address = asked.address.strip().lower()[:_LONGEST_ADDRESS]
    digest = salted_hmac(_ASK_SALT, address, algorithm="sha256").hexdigest()
    with transaction.atomic():
        made = SignIn.objects.create(
            address_digest=digest,
            address=address,
            language=asked.language[:10],
            goes_to=asked.goes_to[:300],
            remote=asked.remote[:45],
            asked_at=at,
            ends_at=at + LASTS,
        )
        record(Fact(ASKED, None, CUSTOMER, data={"sign_in": made.pk}), at=at)
    return signing.Signer(salt=_ASK_SALT).sign(str(made.pk))


@transaction.atomic
def find_customer(sign_in_id: int) -> SignIn | None:
    """Look whose address it is; the row with the customer to be mailed, None where nobody is. Of strangers, the blocked
    and mailboxes that are asked for too often the address is forgotten. Doing it again changes nothing.
    """
    row = _locked(sign_in_id)
    if row is None or not row.address:
        return None
    if row.customer_id is None:
        row.customer = customer_of("email", row.address)
        if row.customer is None or row.customer.blocked_at is not None or _is_flooded(row):
            row.customer, row.address = None, ""
        row.save(update_fields=["customer", "address"])
    return row if row.customer_id is not None else None


def _is_flooded(row: SignIn) -> bool:
    before = SignIn.objects.filter(address_digest=row.address_digest, pk__lt=row.pk)
    return before.filter(asked_at__gt=row.asked_at - _PER_MAILBOX_WINDOW).count() >= PER_MAILBOX


def link_token(row: SignIn) -> str:
    """What stands in the mailed link."""
    return signing.Signer(salt=_LINK_SALT).sign(str(row.pk))


def code_of(row: SignIn) -> str:
    """The six digits of the mail."""
    made = salted_hmac(_CODE_SALT, f"{row.pk}:{row.asked_at.timestamp()}", algorithm="sha256").digest()
    return f"{int.from_bytes(made[:8]) % 10**DIGITS:0{DIGITS}}"


def look_at_link(token: str, *, at: datetime) -> SignIn:
    """The row of a link that would sign somebody in; nothing is done. Raises NotGood."""
    return _good(SignIn.objects.filter(pk=_unsigned(token, _LINK_SALT)).first(), at)


@transaction.atomic
def use_link(token: str, *, at: datetime) -> SignIn:
    """Use the link up; its row, with the customer. Raises NotGood."""
    return _use(_good(_locked(_unsigned(token, _LINK_SALT)), at), at)


def use_code(ask_token: str, typed: str, *, remote: str, at: datetime) -> SignIn:
    """Use the code up; the row, with the customer. Raises TooMany, NotGood."""
    if take(CODES_OF_NETWORK, f"portal code:{network_of(remote)}"):
        raise TooMany
    digits = "".join(filter(str.isdecimal, typed[:40]))
    with transaction.atomic():
        row = _locked(_unsigned(ask_token, _ASK_SALT))
        if row is None:
            raise NotGood("this is none of ours")
        left = MOST_TRIES - row.tries - 1
        if left >= 0:
            SignIn.objects.filter(pk=row.pk).update(tries=row.tries + 1)
            is_right = hmac.compare_digest(_digest(digits), _digest(code_of(row)))
            if is_right and row.customer_id is not None:
                return _use(_good(row, at), at)
    # Told after the commit: a wrong try is counted. An address we do not know runs out of time and tries alike.
    if row.ends_at <= at:
        raise Expired
    raise WrongCode(max(left, 0))


def forget_ended(*, at: datetime) -> int:
    """Remove the rows of a day ago."""
    return SignIn.objects.filter(ends_at__lt=at - timedelta(days=1)).delete()[0]


def _unsigned(token: str, salt: str) -> int:
    try:
        return int(signing.Signer(salt=salt).unsign(token[:_LONGEST_TOKEN]))
    except (signing.BadSignature, ValueError) as error:
        raise NotGood("this is none of ours") from error


def _locked(pk: int) -> SignIn | None:
    return SignIn.objects.select_for_update(of=("self",)).select_related("customer").filter(pk=pk).first()


def _good(row: SignIn | None, at: datetime) -> SignIn:
    if row is None or row.customer_id is None:
        raise NotGood("this is none of ours")
    if row.used_at is not None:
        raise UsedBefore
    if row.ends_at <= at:
        raise Expired
    if Customer.objects.filter(pk=row.customer_id, blocked_at=None).first() is None:
        raise NotGood("blocked")
    return row


def _use(row: SignIn, at: datetime) -> SignIn:
    """Who has the mail reads the mailbox: the address is theirs."""
    row.used_at = at
    row.save(update_fields=["used_at"])
    Identity.objects.filter(customer=row.customer_id, channel="email", handle=row.address, verified_at=None).update(
        verified_at=at
    )
    return row


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
