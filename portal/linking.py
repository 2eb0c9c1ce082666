"""Addresses and accounts a customer is known by, proven to be theirs.

For an e-mail address a code is mailed there and typed here. For Telegram, X and the like a code is shown here, and the
person sends it from the account: the channel's room gives what it received to `claim` (settings.IDENTITY_CLAIMS).
"""

import hmac
import re
from base64 import b32encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import ManyToOneRel, QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import override
from psycopg2.errors import UniqueViolation

from helpdesk.customers.models import Customer, Identity
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.sending_mail import send_email
from helpdesk.limits import Limit, take
from portal import letters
from portal.models import Linking

LASTS: Final = timedelta(minutes=30)
MOST_TRIES: Final = 5
MOST_A_DAY: Final = 20
MOST_IDENTITIES: Final = 20
ASKED: Final = "portal.linking_asked"
"""A customer wants to be known by one more address: {linking}. The mail with the code follows."""
CLAIMS_OF_HANDLE: Final = Limit(10, 10 / 3600)
_SALT: Final = "portal.linking"
_CODE: Final = re.compile(r"\bLINK[- ]?([A-Z2-7]{4})[- ]?([A-Z2-7]{4})\b", re.IGNORECASE)
_LONGEST: Final = 2000


class TooMany(ValueError):
    """More codes in a day, or more addresses, than one person needs."""


class NotGood(ValueError):
    """No such code, spent, used, or too old."""


class Taken(ValueError):
    """The address is another customer's; joining two takes a person."""


def code_for(customer: Customer, *, at: datetime) -> str:
    """A code for this customer to send from the account that is to be linked, within half an hour. Raises TooMany."""
    return _make(customer, "", "", at)[1]


@transaction.atomic
def ask_for_address(customer: Customer, address: str, *, at: datetime) -> Linking:
    """Have a code mailed to an address that shall be the customer's. Raises TooMany."""
    row, _code = _make(customer, "email", address.strip().lower()[:254], at)
    record(Fact(ASKED, None, CUSTOMER, data={"linking": row.pk}), at=at)
    return row


def _make(customer: Customer, channel: str, handle: str, at: datetime) -> tuple[Linking, str]:
    lately = Linking.objects.filter(customer=customer, asked_at__gt=at - timedelta(days=1)).count()
    if lately >= MOST_A_DAY or customer.identities.count() >= MOST_IDENTITIES:
        raise TooMany
    row = Linking.objects.create(
        customer=customer, channel=channel, handle=handle, digest=uuid4().hex, asked_at=at, ends_at=at + LASTS
    )
    code = _code_of(row)
    row.digest = _digest(code)
    row.save(update_fields=["digest"])
    return row, code


def _code_of(row: Linking) -> str:
    made = salted_hmac(_SALT, f"{row.pk}:{row.asked_at.timestamp()}", algorithm="sha256").digest()
    letters_ = b32encode(made).decode()
    return f"LINK-{letters_[:4]}-{letters_[4:8]}"


@outside
def send_code(event: Event, at: datetime) -> None:
    """The handler of `portal.linking_asked`."""
    row = Linking.objects.select_related("customer").filter(pk=event.data["linking"], used_at=None).first()
    if row is not None and row.ends_at > at:
        send_email(mail(row))


def mail(row: Linking) -> EmailMessage:
    """The mail to the address that is to be linked."""
    with override(row.customer.language or "en"):
        given = {"code": _code_of(row), "name": row.customer.name or row.customer.email}
        subject = _("Your code: %(code)s") % {"code": given["code"]}
        key = f"linking.{row.pk}"
        return letters.made(letters.Letter(row.handle, subject, "linking.txt", key, row.asked_at, given))


def confirm_address(customer: Customer, linking_id: int, typed: str, *, at: datetime) -> Identity:
    """The code from the mail proves that the mailbox is theirs. Raises NotGood, Taken."""
    with transaction.atomic():
        rows = Linking.objects.select_for_update(of=("self",)).filter(pk=linking_id, customer=customer, channel="email")
        row = rows.first()
        if row is None or row.used_at is not None or row.ends_at <= at or row.tries >= MOST_TRIES:
            raise NotGood
        found = _CODE.search(typed[:_LONGEST])
        code = f"LINK-{found[1]}-{found[2]}".upper() if found else ""
        if hmac.compare_digest(_digest(code).encode(), row.digest.encode()):
            return _take_over(row, "email", row.handle, at)
        Linking.objects.filter(pk=row.pk).update(tries=row.tries + 1)
    raise NotGood


def claim(text: str, channel: str, handle: str, *, at: datetime) -> Customer | None:
    """Somebody wrote this from an account: whose it is now, where a code of theirs stands in it; None for all else.

    What the account had said before, as a customer of its own, becomes this customer's.
    """
    found = _CODE.search(text[:_LONGEST])
    if found is None or take(CLAIMS_OF_HANDLE, f"portal claim:{channel}:{handle}"):
        return None
    try:
        return _claimed(_digest(f"LINK-{found[1]}-{found[2]}".upper()), channel, handle, at)
    except Taken:
        return None


def _claimed(digest: str, channel: str, handle: str, at: datetime) -> Customer | None:
    with transaction.atomic():
        rows = Linking.objects.select_for_update(of=("self",)).select_related("customer")
        row = rows.filter(digest=digest, channel="", used_at=None, ends_at__gt=at).first()
        if row is None or row.customer.blocked_at is not None:
            return None
        _take_over(row, channel, handle, at)
        return row.customer


def _take_over(row: Linking, channel: str, handle: str, at: datetime) -> Identity:
    row.used_at = at
    row.save(update_fields=["used_at"])
    known = Identity.objects.select_for_update(of=("self",)).select_related("customer")
    identity = known.filter(channel=channel, handle=handle).first()
    if identity is None:
        return Identity.objects.create(customer=row.customer, channel=channel, handle=handle, verified_at=at)
    before = identity.customer
    if before.pk != row.customer_id and (channel == "email" or before.identities.count() > 1):
        # Whoever has other ways to us is a person of their own: two of them are joined by people alone.
        raise Taken
    identity.customer, identity.verified_at = row.customer, at
    identity.save(update_fields=["customer", "verified_at"])
    if before.pk != row.customer_id:
        _join(before, row.customer)
    return identity


def _join(before: Customer, customer: Customer) -> None:
    """All that a customer known by this one account has said, in whatever room, is the other's from now on."""
    for relation in Customer._meta.get_fields(include_hidden=True):
        if isinstance(relation, ManyToOneRel) and not relation.one_to_one:
            name = relation.field.name
            for pk in relation.related_model._base_manager.filter(**{name: before}).values_list("pk", flat=True):
                _move(relation.related_model._base_manager.filter(pk=pk), name, customer)
    before.delete()


def _move(row: QuerySet[Any], name: str, customer: Customer) -> None:
    """What there can be only one of, such as a place in copy of one conversation, and the customer has, is dropped."""
    try:
        with transaction.atomic():
            row.update(**{name: customer})
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        row.delete()


def unlink(customer: Customer, identity_id: int) -> bool:
    """Be no longer known by it; False for the address that answers go to, and for the last one."""
    identity = customer.identities.filter(pk=identity_id).first()
    if identity is None or (identity.channel == "email" and identity.handle == customer.email.lower()):
        return False
    identity.delete()
    return True


def _digest(code: str) -> str:
    return sha256(code.encode()).hexdigest()
