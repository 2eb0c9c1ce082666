"""Our accounts: opened for a call, taken from the environment, and what their health is."""

import json
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from helpdesk.events.actions import Fact, record
from helpdesk.events.outcomes import DeliveryError, NeverRetry
from helpdesk.events.secrets import decrypt, encrypt
from social.models import Account
from social.network import Connection, TokenDead, network

STATE_CHANGED: Final = "social.account_changed"
"""An account's health changed: {account, state, detail}."""
RENEWED_BEFORE: Final = timedelta(minutes=5)
# Calls of webhooks are checked against these; a new account is known after so many seconds at most.
_KNOWN_FOR: Final = 3.0
_known: dict[str, tuple[float, list[tuple[int, Connection]]]] = {}


def opened(account: Account) -> Connection:
    """The account with its secrets. Raises SecretUnreadable, NeverRetry for one without any."""
    if account.is_from_environment:
        given = settings.SOCIAL_ACCOUNTS.get(account.network)
        if given is None:
            raise NeverRetry("its settings are no longer in the environment")
        # What was renewed meanwhile stands in the row; the environment has what it began with.
        secrets: Mapping[str, str] = {**given["secrets"], **_kept(account)}
    else:
        secrets = _kept(account)
    return Connection(
        network=account.network,
        external_id=account.external_id,
        handle=account.handle,
        base_url=base_url(account),
        secrets=secrets,
        is_typed=bool(account.base_url) and not account.is_from_environment,
        options=account.options,
    )


def base_url(account: Account) -> str:
    """Where its API is; empty when nobody has said. Paths are put behind it; a feed's address is the whole of it."""
    is_ours = account.is_from_environment
    given = settings.SOCIAL_ACCOUNTS.get(account.network, {}).get("base_url") if is_ours else account.base_url
    base: str = given or settings.SOCIAL_BASE_URLS.get(account.network, "")
    return base if account.network == Account.Network.FEED else base.rstrip("/")


def _kept(account: Account) -> dict[str, str]:
    kept: dict[str, str] = json.loads(decrypt(account.secrets)) if account.secrets else {}
    return kept


def fresh(account: Account, *, at: datetime) -> Connection:
    """`opened`, with credentials that last: those about to end are renewed first, by one process at a time, and kept in
    the transaction that asked for them, because the old ones are then good for nothing. Raises a DeliveryError too.
    """
    ends = account.token_expires_at
    if ends is None or ends > at + RENEWED_BEFORE:
        return opened(account)
    with transaction.atomic():
        held = Account.objects.select_for_update().get(pk=account.pk)
        if held.token_expires_at is not None and held.token_expires_at <= at + RENEWED_BEFORE:
            renewed = network(held.network).renew(opened(held))
            if renewed is not None:
                held.secrets, held.token_expires_at = close(renewed.secrets), renewed.expires_at
                held.save(update_fields=["secrets", "token_expires_at"])
    return opened(held)


def close(secrets: Mapping[str, str]) -> str:
    """Secrets as they are kept."""
    return encrypt(json.dumps(dict(secrets))) if any(secrets.values()) else ""


def connections(name: str) -> list[tuple[int, Connection]]:
    """The accounts of a network that something may come in for, with their ids; kept for seconds in this process."""
    until, found = _known.get(name, (0.0, []))
    if until < time.monotonic():
        found = _open_all(name)
        _known[name] = (time.monotonic() + _KNOWN_FOR, found)
    return found


def forget_connections() -> None:
    """An account was changed here: the next call looks again."""
    _known.clear()


def _open_all(name: str) -> list[tuple[int, Connection]]:
    rows = Account.objects.filter(network=name, is_active=True).order_by("pk")
    found = []
    for account in rows:
        try:
            connection = opened(account)
        except (ValueError, NeverRetry):
            continue  # the probe says so on the account; nothing can be checked against what cannot be read
        if connection.secrets:
            found.append((account.pk, connection))
    return found


@transaction.atomic
def keep_environment(*, at: datetime) -> None:
    """One row for each account that the environment describes; one that is there no more is not connected."""
    for name, given in settings.SOCIAL_ACCOUNTS.items():
        values = {
            "external_id": given.get("external_id", ""),
            "base_url": given["base_url"],
            "options": given.get("options", {}),
            "is_active": True,
        }
        account, is_new = Account.objects.get_or_create(
            network=name,
            is_from_environment=True,
            defaults={
                **values,
                "name": Account.Network(name).label,
                "handle": given.get("handle", ""),
                "state": Account.State.CONNECTED,
                "created_at": at,
                "poll_at": at if network(name).polls else None,
            },
        )
        if not is_new:
            # What the network told us of itself meanwhile is not overwritten by what nobody has said.
            told = {name: value for name, value in values.items() if value not in ("", {})}
            if account.state == Account.State.NOT_CONNECTED:
                told |= {"state": Account.State.CONNECTED, "state_detail": "", "poll_at": at}
            Account.objects.filter(pk=account.pk).update(**told)
    gone = Account.objects.filter(is_from_environment=True).exclude(network__in=settings.SOCIAL_ACCOUNTS)
    gone.exclude(state=Account.State.NOT_CONNECTED).update(
        state=Account.State.NOT_CONNECTED, state_detail="its settings are no longer in the environment", poll_at=None
    )
    forget_connections()


@transaction.atomic
def set_state(account_id: int, state: Account.State, detail: str, *, at: datetime, lifts_pause: bool = False) -> bool:
    """Write down how the account is; whether that is news, which those who look after it are then told. A paused
    account stays so, whatever is found out meanwhile, until somebody lifts the pause.
    """
    changed = Account.objects.filter(pk=account_id).exclude(state=state, state_detail=detail[:300])
    if not lifts_pause and state != Account.State.PAUSED:
        changed = changed.exclude(state=Account.State.PAUSED)
    was_other = changed.exclude(state=state).exists()
    changed.update(state=state, state_detail=detail[:300], checked_at=at)
    if was_other and state == Account.State.CONNECTED:
        # What was said meanwhile is read at once.
        Account.objects.filter(pk=account_id, poll_at__gt=at).update(poll_at=at, poll_attempts=0)
    if was_other:
        record(Fact(STATE_CHANGED, data={"account": account_id, "state": state.value, "detail": detail[:300]}), at=at)
    return was_other


def failed(account: Account, error: DeliveryError, *, at: datetime) -> None:
    """A call of this account failed: its health says so, by the kind of the error."""
    if isinstance(error, TokenDead):
        set_state(account.pk, Account.State.REAUTH_REQUIRED, error.reason, at=at)
    elif account.state == Account.State.CONNECTED:
        set_state(account.pk, Account.State.DEGRADED, error.reason, at=at)


def worked(account: Account, *, at: datetime) -> None:
    """A call of this account worked: what was degraded is well again."""
    unwell = (Account.State.DEGRADED, Account.State.REAUTH_REQUIRED)
    # What was read may have cost the rest of the day's money meanwhile: then it is paused, and stays so.
    if account.state in unwell and Account.objects.filter(pk=account.pk, state__in=unwell).exists():
        set_state(account.pk, Account.State.CONNECTED, "", at=at)


def may_send(account: Account) -> str:
    """Why nothing can be sent from this account now; "" where it can."""
    if not account.is_active or account.state == Account.State.NOT_CONNECTED:
        return "the account is not connected"
    if account.state == Account.State.REAUTH_REQUIRED:
        return f"the account must be connected again: {account.state_detail}"
    if account.state == Account.State.PAUSED:
        return f"the account is paused: {account.state_detail}"
    return ""


def is_connected(name: str) -> bool:
    """Whether an account on this network can be posted from."""
    can = Q(is_active=True, state__in=[Account.State.CONNECTED, Account.State.DEGRADED])
    return Account.objects.filter(can, network=name).exists()


def probe(account: Account, *, at: datetime) -> dict[str, Any]:
    """Ask the network who we are with these credentials, and write down what it says; what was written."""
    try:
        found = network(account.network).probe(fresh(account, at=at))
    except DeliveryError as error:
        failed(account, error, at=at)
        return {"error": error.reason}
    except ValueError as error:
        set_state(account.pk, Account.State.REAUTH_REQUIRED, str(error), at=at)
        return {"error": str(error)}
    told = {"handle": found.handle, "external_id": found.external_id, "token_expires_at": found.expires_at}
    Account.objects.filter(pk=account.pk).update(
        **{name: value for name, value in told.items() if value}, checked_at=at
    )
    state = Account.State.DEGRADED if found.detail else Account.State.CONNECTED
    set_state(account.pk, state, found.detail, at=at)
    return {name: value for name, value in told.items() if value}
