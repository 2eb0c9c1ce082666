"""Writing mailboxes and the accounts they are fetched from, and lifting the suspension of an address."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.events.secrets import encrypt
from tickets.mail.addresses import email_of
from tickets.models import ImapAccount, Mailbox, SuspendedAddress

# Another place has other mail under the same numbers: our cursor would skip it.
FIXED = ("host", "username", "folder")


class Refused(ValueError):
    """What was given cannot be; `field` is what to change."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@transaction.atomic
def save_mailbox(mailbox: Mailbox, fields: Mapping[str, Any]) -> Mailbox:
    """Write a mailbox, new or known; `fields` are columns. The first one is the default; a new default takes the old
    one's place. Raises Refused.
    """
    # Held, so that two who save at once cannot both be given an address.
    others = [box for box in Mailbox.objects.select_for_update().order_by("pk") if box.pk != mailbox.pk]
    was_default = mailbox.is_default
    for name, value in fields.items():
        setattr(mailbox, name, value)
    mailbox.address = _address("address", mailbox.address)
    mailbox.aliases = sorted({_address("aliases", alias) for alias in mailbox.aliases} - {mailbox.address})
    taken = {address: box for box in others for address in (box.address, *box.aliases)}
    for field, addresses in (("address", [mailbox.address]), ("aliases", mailbox.aliases)):
        for address in addresses:
            if address in taken:
                raise Refused(
                    field, _("%(address)s belongs to %(other)s already") % {"address": address, "other": taken[address]}
                )
    if was_default and not mailbox.is_default:
        raise Refused("is_default", _("make another mailbox the default one instead"))
    mailbox.is_default = mailbox.is_default or not others
    if mailbox.is_default:
        Mailbox.objects.filter(is_default=True).exclude(pk=mailbox.pk).update(is_default=False)
    mailbox.save()
    return mailbox


def _address(field: str, given: str) -> str:
    address = email_of(given)
    if not address:
        raise Refused(field, _("%(given)s is not an e-mail address") % {"given": given[:80]})
    if "+" in address.rpartition("@")[0]:
        raise Refused(field, _("what stands behind a plus is ours to write: give the address without it"))
    return address


@transaction.atomic
def remove_mailbox(mailbox: Mailbox) -> None:
    """Remove a mailbox with its accounts. Raises Refused; ProtectedError where conversations are held in it."""
    if Mailbox.objects.select_for_update().get(pk=mailbox.pk).is_default:
        raise Refused("is_default", _("make another mailbox the default one first"))
    mailbox.delete()


@transaction.atomic
def save_imap_account(account: ImapAccount, fields: Mapping[str, Any]) -> ImapAccount:
    """Write an account, new or known; `fields` are columns, the `secret` as it is: it is stored encrypted.

    Raises Refused for another host, user or folder: that is another account, with a cursor of its own.
    """
    is_new = account._state.adding
    for name, value in fields.items():
        if name in FIXED and not is_new and getattr(account, name) != value:
            raise Refused(name, _("this would be another account: add one, and remove this one"))
        setattr(account, name, encrypt(value) if name == "secret" else value)
    # Only what was given: a poll may be moving the cursor at this moment.
    account.save(update_fields=None if is_new else list(fields))
    return account


@transaction.atomic
def lift_suspension(suspended: SuspendedAddress, user: User, *, at: datetime) -> None:
    """Write to the address again, with its bounces forgotten; who lifted it stays on record."""
    data = {"address": suspended.address, "until": suspended.until, "reason": suspended.reason}
    suspended.delete()
    record(Fact("suspension.lifted", actor=Actor.agent(user), data=data), at=at)
