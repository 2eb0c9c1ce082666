"""Agents answer pages from their own phone or Telegram: acknowledge one or all that called them there, or pass it on.

An answer counts only from an address that an agent has shown to be theirs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from helpdesk.customers.models import User
from helpdesk.numbers import LARGEST_ID
from helpdesk.oncall import linking, paging
from helpdesk.oncall.models import Page, PageDelivery

# "1" in a text message means the newest page that was sent there, and not one of last week.
ANSWERS_WITHIN: Final = timedelta(hours=24)
MOST_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Answerer:
    """Somebody at an address of theirs; `via` names the way for the page's record ("SMS", "phone call")."""

    user: User
    address: str
    via: str


def at_address(kind: str, address: str, via: str) -> Answerer | None:
    """Who answers there; None where the address is no agent's."""
    user = linking.agent_at(kind, address)
    return None if user is None else Answerer(user, address, f"{via} ({address})")


def acknowledge(page_id: int, who: Answerer, *, at: datetime) -> Page | None:
    """The page as it is then; None where there is none of this number."""
    if not _exists(page_id):
        return None
    return paging.acknowledge(page_id, at=at, user=who.user, via=who.via)


def pass_on(page_id: int, who: Answerer, *, at: datetime) -> Page | None:
    """The page, whose next step is due now; None where there is none of this number."""
    if not _exists(page_id):
        return None
    return paging.pass_on(page_id, at=at, user=who.user, via=who.via)


def acknowledge_all(who: Answerer, *, at: datetime) -> list[Page]:
    """Everything that called this address and that nobody has answered yet."""
    return [paging.acknowledge(pk, at=at, user=who.user, via=who.via) for pk in _calling(who, at)]


def newest(who: Answerer, *, at: datetime) -> int | None:
    """The page this address was called for last, of those nobody has answered yet."""
    found = _calling(who, at)
    return max(found) if found else None


def _calling(who: Answerer, at: datetime) -> list[int]:
    called = PageDelivery.objects.filter(
        to=who.address,
        action=PageDelivery.Action.TRIGGER,
        state=PageDelivery.State.SENT,
        sent_at__gt=at - ANSWERS_WITHIN,
        page__state=Page.State.TRIGGERED,
    )
    return sorted(set(called.order_by("-sent_at").values_list("page_id", flat=True)[:MOST_AT_ONCE]))


def _exists(page_id: int) -> bool:
    return 0 < page_id <= LARGEST_ID and Page.objects.filter(pk=page_id).exists()
