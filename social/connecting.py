"""Connecting an account: what was entered is kept, secrets encrypted, and what is missing still is said."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from helpdesk.events.actions import Fact, record
from helpdesk.events.nudge import nudge
from social import accounts, spending
from social.models import Account
from social.network import Need, network

CHECK: Final = "social.tasks.check_accounts"
NOT_TRIED: Final = "it has not been tried yet"
PAUSED_BY_HAND: Final = "paused by an admin"
# Needs that are columns of the account; other needs without a secret are options.
COLUMNS: Final = frozenset({"handle", "external_id", "base_url"})
STAFF: Final = "staff_handles"
_HOOKS: Final = frozenset({"x", "facebook", "whatsapp", "telegram", "discourse"})


class Taken(ValueError):
    """Another row is this account already: `field` says by what."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def hook_address(name: str) -> str:
    """Where the network calls us; "" for one that does not."""
    return f"{settings.PUBLIC_URL}/hooks/{name}/" if name in _HOOKS else ""


def entered(account: Account) -> dict[str, str]:
    """The secrets that are kept; none where they cannot be read any more, so that they are entered anew."""
    try:
        return dict(accounts.opened(account).secrets)
    except ValueError:
        return {}


def missing(account: Account, secrets: Mapping[str, str]) -> list[Need]:
    """What the network needs and nobody has entered."""
    return [one for one in network(account.network).needs if one.is_required and not _has(account, one, secrets)]


def _has(account: Account, need: Need, secrets: Mapping[str, str]) -> bool:
    if need.is_secret:
        return bool(secrets.get(need.name))
    if need.name == "base_url":
        return bool(account.base_url or settings.SOCIAL_BASE_URLS.get(account.network))
    return bool(getattr(account, need.name) if need.name in COLUMNS else account.options.get(need.name))


@transaction.atomic
def keep(
    account: Account,
    columns: Mapping[str, Any],
    *,
    secrets: Mapping[str, str],
    options: Mapping[str, Any],
    at: datetime,
) -> Account:
    """Save an account, new or known. An empty secret keeps the one that is there. With all it needs it is tried by the
    workers at once; without, it is not connected, and the manual log works. Raises Taken.
    """
    if account.pk:
        # It may have been read, paused or renewed since the page was drawn.
        account.refresh_from_db(from_queryset=Account.objects.select_for_update())
    for name, value in columns.items():
        setattr(account, name, value)
    account.options = {**account.options, **options}
    if not account.is_from_environment:
        _take_credentials(account, secrets, at)
    same = Account.objects.exclude(pk=account.pk).filter(network=account.network, external_id=account.external_id)
    if account.external_id and same.exists():
        raise Taken("external_id")
    account.save()
    spending.keep_to(account, at=at)
    spending.resume(at=at)
    accounts.forget_connections()
    nudge(CHECK)
    return account


def _take_credentials(account: Account, given: Mapping[str, str], at: datetime) -> None:
    known = entered(account) if account.pk else {}
    held = {**known, **{name: value for name, value in given.items() if value}}
    if held != known:
        account.secrets, account.token_expires_at = accounts.close(held), None
    if missing(account, held):
        account.state, account.state_detail, account.poll_at = Account.State.NOT_CONNECTED, "", None
    elif account.state in (Account.State.NOT_CONNECTED, Account.State.REAUTH_REQUIRED) or (
        held != known and account.state != Account.State.PAUSED
    ):
        account.state, account.state_detail = Account.State.DEGRADED, NOT_TRIED
        account.poll_at = at if network(account.network).polls else None


@transaction.atomic
def pause(account: Account, *, at: datetime) -> None:
    """Nothing is sent or read until somebody resumes it. Webhooks are still taken."""
    accounts.set_state(account.pk, Account.State.PAUSED, PAUSED_BY_HAND, at=at)


@transaction.atomic
def resume(account: Account, *, at: datetime) -> bool:
    """It goes on, and is tried; False where it was not paused."""
    account = Account.objects.select_for_update().get(pk=account.pk)
    if account.state != Account.State.PAUSED:
        return False
    if missing(account, entered(account)):
        accounts.set_state(account.pk, Account.State.NOT_CONNECTED, "", at=at, lifts_pause=True)
        return True
    accounts.set_state(account.pk, Account.State.DEGRADED, NOT_TRIED, at=at, lifts_pause=True)
    if network(account.network).polls:
        Account.objects.filter(pk=account.pk).update(poll_at=at)
    nudge(CHECK)
    return True


@transaction.atomic
def forget(account: Account, *, at: datetime) -> None:
    """Remove an account that nothing hangs on. Raises ProtectedError, ValueError for one of the environment."""
    if account.is_from_environment:
        raise ValueError("it is described in the environment")
    record(Fact("social.account_removed", data={"account": account.pk, "network": account.network}), at=at)
    account.delete()
    accounts.forget_connections()
