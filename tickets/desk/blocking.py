"""Senders we take nothing from any more: addresses, or `@domain` for all of a domain. Agents are never blocked.

Their mail is kept in the ledger as `blocked`, where it can be filed after all; a form of theirs is thrown away unread.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.customers import audit
from helpdesk.customers.models import User
from tickets.desk.models import BlockedSender
from tickets.mail.addresses import email_of
from tickets.mail.mailboxes import Mailboxes


class CannotBlock(ValueError):
    """Not an address or domain, or one of ours; `args[0]` says which."""


def blocked(email: str) -> BlockedSender | None:
    """What blocks this address, if anything does."""
    email = email.strip().lower()
    domain = "@" + email.rpartition("@")[2]
    found = BlockedSender.objects.filter(handle__in=[email, domain]).order_by("-handle").first()
    if found is None or User.objects.filter(email=email, is_active=True).exists():
        return None
    return found


@transaction.atomic
def block(handle: str, user: User, why: str = "", *, at: datetime) -> BlockedSender:
    """Take nothing from this address or @domain any more; known ones stay as they are. Raises CannotBlock."""
    clean = cleaned(handle)
    row, is_new = BlockedSender.objects.get_or_create(handle=clean, defaults={"why": why[:300], "by": user, "at": at})
    if is_new:
        audit.record(user.pk, "blocked", row, {}, audit.stored(row), at=at)
    return row


@transaction.atomic
def say_why(row: BlockedSender, why: str, user: User, *, at: datetime) -> BlockedSender:
    """Give another reason; who is blocked stays."""
    before, row.why = audit.stored(row), why[:300]
    row.save(update_fields=["why"])
    audit.record(user.pk, "changed", row, before, audit.stored(row), at=at)
    return row


@transaction.atomic
def unblock(row: BlockedSender, user: User, *, at: datetime) -> None:
    before, pk = audit.stored(row), row.pk
    row.delete()
    audit.record(user.pk, "unblocked", row, before, {}, at=at, thing_id=pk)


def cleaned(handle: str) -> str:
    """An address or @domain in lower case. Raises CannotBlock."""
    given = handle.strip().lower()
    # A domain is checked by an address in it.
    address = email_of(f"x{given}" if given.startswith("@") else given)
    if not address or len(given) > 320:
        raise CannotBlock(_("%(given)s is neither an e-mail address nor @domain.") % {"given": given[:80]})
    if given.startswith("@"):
        clean = "@" + address.rpartition("@")[2]
        ours = User.objects.filter(email__endswith=clean, is_active=True).exists()
    else:
        clean = address
        ours = User.objects.filter(email=clean, is_active=True).exists()
    if ours or _is_mailbox(clean):
        raise CannotBlock(_("%(given)s is ours: agents and mailboxes are not blocked.") % {"given": clean})
    return clean


def _is_mailbox(handle: str) -> bool:
    ours = Mailboxes()
    if handle.startswith("@"):
        return any(address.endswith(handle) for address in ours.by_address)
    return ours.is_ours(handle)
