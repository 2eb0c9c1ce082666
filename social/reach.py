"""Where people reach us on the networks, and when somebody looks: for the help centre, honest about the hours."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from social import coverage
from social.models import Account
from social.network import network

_PUBLIC: Final = frozenset({"x", "facebook", "mastodon", "bluesky", "telegram", "whatsapp", "discourse"})
_ADDRESSES: Final = {
    "x": "https://x.com/{}",
    "facebook": "https://www.facebook.com/{}",
    "bluesky": "https://bsky.app/profile/{}",
    "telegram": "https://t.me/{}",
}
# Where a private message to us is begun with words already in it; the words, quoted for an address, come last.
_WRITING: Final = {
    "telegram": "https://t.me/{}?start=",
    "whatsapp": "https://wa.me/{}?text=",
    "facebook": "https://m.me/{}?text=",
}


@dataclass(frozen=True, slots=True)
class Place:
    """An account people can write to. `promise` says how fast, in a sentence; `is_covered_now` whether somebody is
    there at this hour, None where no hours are said. `writing` is where a private message begins, its words to be added
    at the end (Telegram takes letters, digits, "-" and "_" alone); "" where the network has no such address.
    """

    network: str
    title: str
    handle: str
    url: str
    promise: str
    is_covered_now: bool | None
    writing: str = ""


def places(*, at: datetime) -> list[Place]:
    """Accounts that are connected and in use, by network. Nothing is promised that no policy holds."""
    can = Account.objects.filter(
        is_active=True, network__in=_PUBLIC, state__in=[Account.State.CONNECTED, Account.State.DEGRADED]
    ).exclude(handle="")
    accounts = list(can.select_related("policy__calendar"))
    goals = coverage.goals_of(accounts)
    return [_place(one, goals.get(one.policy_id or 0), at) for one in accounts]


def _place(account: Account, goal: int | None, at: datetime) -> Place:
    hours = coverage.hours_of(account.policy)
    return Place(
        network=account.network,
        title=network(account.network).title,
        handle=account.handle if account.network == "whatsapp" else f"@{account.handle.lstrip('@')}",
        url=_address(account),
        promise=_promise(account, goal),
        is_covered_now=hours.is_open(at) if hours else None,
        writing=_WRITING.get(account.network, "").format(account.handle.lstrip("@+").replace(" ", "")),
    )


def _promise(account: Account, goal: int | None) -> str:
    if account.coverage == Account.Coverage.BEST_EFFORT or goal is None:
        return _("We look in when we can. For anything urgent please open a ticket.")
    if goal < 7200:
        within = ngettext("%(count)d minute", "%(count)d minutes", goal // 60) % {"count": goal // 60}
    else:
        within = ngettext("%(count)d hour", "%(count)d hours", goal // 3600) % {"count": goal // 3600}
    if account.coverage == Account.Coverage.CONSTANT:
        return _("We answer within %(within)s, in our hours there.") % {"within": within}
    return _("We look in several times a day and answer within %(within)s of our hours there.") % {"within": within}


def _address(account: Account) -> str:
    """Where people see the account; "" where there is no address we are sure of."""
    handle = account.handle.lstrip("@")
    if account.network == "mastodon" and account.base_url:
        return f"{account.base_url.rstrip('/')}/@{handle.partition('@')[0]}"
    if account.network == "discourse":
        return account.base_url
    return _ADDRESSES.get(account.network, "").format(handle)
