"""Which envelope recipients are ours: asked for every RCPT, so answered from memory, and never from an old memory
when the answer would be a permanent no."""

from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings

from tickets.mail.addresses import email_of
from tickets.mail.mailboxes import Mailboxes

CACHE = timedelta(seconds=30)
# A mailbox made a moment ago must not cost its first mail: before a "no", look again unless we just did.
REFUSAL_CACHE = timedelta(seconds=1)
_SIGNED = frozenset({"reply", "bounce"})


@dataclass(frozen=True, slots=True)
class Recipients:
    """The addresses that exist at one moment."""

    addresses: frozenset[str]
    domains: frozenset[str]

    def accepts(self, address: str) -> bool:
        """Mailboxes, aliases, anything behind their plus, signed addresses, postmaster (RFC 5321 §4.5.1)."""
        if address.lower() == "postmaster":
            return True
        local, _, domain = email_of(address).rpartition("@")
        if not local:
            return False
        base, plus, tag = local.partition("+")
        if f"{base}@{domain}" in self.addresses or f"{local}@{domain}" in self.addresses:
            return True
        return domain in self.domains and (local == "postmaster" or (base in _SIGNED and bool(plus and tag)))


def load() -> Recipients:
    """Read them from the database. Raises django.db.Error."""
    named = {email_of(address) or address for address in Mailboxes().by_address}
    domains = {address.rpartition("@")[2] for address in named} | {settings.MAIL_DOMAIN.lower()}
    # Bounces of and answers to what we send without a mailbox come back to this one.
    sender = email_of(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    if sender.rpartition("@")[2] in domains:
        named.add(sender)
    return Recipients(frozenset(named), frozenset(domains))
