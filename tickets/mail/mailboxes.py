"""Our own addresses: which mailbox a mail was meant for, and which addresses are never a customer's."""

from collections.abc import Iterable
from functools import cached_property

from tickets.models import Mailbox


class NoMailbox(Exception):
    """No mailbox exists: the installation is not set up."""


class Mailboxes:
    """All mailboxes, read once for a batch of mails."""

    def __init__(self) -> None:
        self.all = list(Mailbox.objects.select_related("team").order_by("-is_default", "pk"))

    @cached_property
    def by_address(self) -> dict[str, Mailbox]:
        return {address.lower(): box for box in self.all for address in (box.address, *box.aliases)}

    def owner_of(self, address: str) -> Mailbox | None:
        """The mailbox of an address, whatever stands behind a plus."""
        local, _, domain = address.strip().lower().rpartition("@")
        return self.by_address.get(f"{local.partition('+')[0]}@{domain}")

    def is_ours(self, address: str) -> bool:
        return self.owner_of(address) is not None

    def of_team(self, team_id: int | None) -> Mailbox:
        """The mailbox whose mail goes to a team, else the default one. Raises NoMailbox."""
        theirs = (box for box in self.all if team_id is not None and box.team_id == team_id)
        return next(theirs, None) or self.meant([])

    def meant(self, addresses: Iterable[str]) -> Mailbox:
        """The first mailbox named by the addresses, else the default one. Raises NoMailbox."""
        for address in addresses:
            if box := self.owner_of(address):
                return box
        if not self.all:
            raise NoMailbox("create a mailbox")
        return self.all[0]
