"""What an account's calls and events cost, counted as they happen, and the day's cap."""

from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.db.models import Sum

from social import accounts
from social.models import Account, Spending
from social.network import Cost

_NOTE = f"""
INSERT INTO {Spending._meta.db_table} AS spent (account_id, day, what, units, amount)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (account_id, day, what)
DO UPDATE SET units = spent.units + excluded.units, amount = spent.amount + excluded.amount
"""
SPENT = "what may be spent on a day is spent"


def note(account: Account, cost: Cost | None, *, at: datetime) -> None:
    """Count what was bought; at the day's cap the account is paused until the next UTC day."""
    if cost is None or not cost.units:
        return
    day = at.astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [account.pk, day, cost.what[:40], cost.units, cost.amount * cost.units])
    keep_to(account, at=at)


def keep_to(account: Account, *, at: datetime) -> None:
    """Pause an account that has reached its day's cap."""
    if account.daily_cap is not None and today(account, at=at) >= account.daily_cap:
        accounts.set_state(account.pk, Account.State.PAUSED, SPENT, at=at)


def today(account: Account, *, at: datetime) -> int:
    """What was spent on this UTC day, in millionths of a dollar."""
    kept = Spending.objects.filter(account=account, day=at.astimezone(UTC).date())
    return kept.aggregate(total=Sum("amount"))["total"] or 0


def lately(account: Account, *, at: datetime, days: int = 30) -> list[tuple[date, str, int, int]]:
    """What was bought on the last days, newest first: day, what, units, millionths of a dollar."""
    since = at.astimezone(UTC).date() - timedelta(days=days - 1)
    kept = Spending.objects.filter(account=account, day__gte=since).order_by("-day", "what")
    return list(kept.values_list("day", "what", "units", "amount"))


def resume(*, at: datetime) -> int:
    """Accounts that were paused for money go on where the day's cap has room again; how many."""
    paused = Account.objects.filter(state=Account.State.PAUSED, state_detail=SPENT)
    resumed = 0
    for account in paused:
        if account.daily_cap is None or today(account, at=at) < account.daily_cap:
            resumed += accounts.set_state(account.pk, Account.State.CONNECTED, "", at=at, lifts_pause=True)
    return resumed
