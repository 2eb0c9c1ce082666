"""Who covers which account: now, until when, who next; what waits there, and where nobody is planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings

from helpdesk.conversations.models import DONE
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import User
from helpdesk.oncall import rotas
from helpdesk.oncall.models import Schedule
from helpdesk.oncall.rota import Slot
from helpdesk.sla import calendars
from helpdesk.sla.hours import OpeningHours
from helpdesk.sla.models import Clock, Policy, Target
from social.models import Account

AHEAD: Final = timedelta(days=14)
MOST_WAITING: Final = 2000
_RESPONSES: Final = (Target.FIRST_RESPONSE, Target.NEXT_RESPONSE)
_ANY_PRIORITY: Final = "normal"


@dataclass(frozen=True, slots=True)
class Gap:
    """Covered hours in which nobody is planned, [start, end)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """What was said in public and is not answered: how many, and the one that is due first."""

    count: int = 0
    conversation: int | None = None
    due_at: datetime | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """One account. `who` is None where nobody is planned now; `fallback` is who would be asked then."""

    account: Account
    who: str | None
    until: datetime | None
    following: str | None
    following_at: datetime | None
    fallback: str
    is_covered_now: bool
    opens_at: datetime | None
    next_check: datetime | None
    goal_seconds: int | None
    waiting: Waiting
    gaps: Sequence[Gap]


def lanes(user: User, *, at: datetime) -> list[Lane]:
    """Every account in use, with what this agent may see of what waits there."""
    accounts = list(Account.objects.filter(is_active=True).select_related("schedule__fallback", "policy__calendar"))
    waiting, goals = _waiting(user), goals_of(accounts)
    slots = {one: rotas.timeline(one, at, at + AHEAD) for one in {a.schedule for a in accounts if a.schedule}}
    names = dict(User.objects.values_list("pk", "name"))
    return [_lane(one, slots, names, waiting.get(one.pk, Waiting()), goals, at) for one in accounts]


def _lane(
    account: Account,
    timelines: Mapping[Schedule, Sequence[Slot]],
    names: Mapping[int, str],
    waiting: Waiting,
    goals: Mapping[int, int],
    at: datetime,
) -> Lane:
    slots = timelines[account.schedule] if account.schedule else ()
    hours = hours_of(account.policy)
    now, until, following, following_at = _turns(slots)
    return Lane(
        account=account,
        who=names.get(now) if now else None,
        until=until,
        following=names.get(following) if following else None,
        following_at=following_at,
        fallback=account.schedule.fallback.name if account.schedule else "",
        is_covered_now=hours is None or hours.is_open(at),
        opens_at=None if hours is None or hours.is_open(at) else hours.next_opening(at),
        next_check=next_check(account, at),
        goal_seconds=goals.get(account.policy_id or 0),
        waiting=waiting,
        gaps=_gaps(slots, hours),
    )


def hours_of(policy: Policy | None) -> OpeningHours | None:
    """The hours that are covered; None where no policy says so."""
    return calendars.hours_of(policy.calendar_id, policy.calendar.version) if policy else None


def _turns(slots: Sequence[Slot]) -> tuple[int | None, datetime | None, int | None, datetime | None]:
    """Who has it now, until when, who has it after that, and from when. Turns of one person are one."""
    if not slots:
        return None, None, None, None
    now, until = slots[0].user, None
    for slot in slots:
        if until is None and slot.user != now:
            until = slot.start
        if slot.user is not None and slot.user != now:
            return now, until, slot.user, slot.start
    return now, until, None, None


def _gaps(slots: Sequence[Slot], hours: OpeningHours | None) -> list[Gap]:
    """Where nobody is planned: within the covered hours alone, where those are said."""
    found = []
    for slot in slots:
        if slot.user is None:
            spans = [(slot.start, slot.end)] if hours is None else hours.spans(slot.start, slot.end)
            found += [Gap(start, end) for start, end in spans]
    return found


def next_check(account: Account, at: datetime) -> datetime | None:
    """When it is looked at next, where that happens several times a day; office time, within the covered hours where
    those are said.
    """
    if account.coverage != Account.Coverage.SEVERAL_TIMES_A_DAY or not account.checks:
        return None
    zone, hours = ZoneInfo(settings.OFFICE_TIME_ZONE), hours_of(account.policy)
    today = at.astimezone(zone).date()
    days = (today + timedelta(days=number) for number in range(AHEAD.days))
    times = (datetime.combine(day, clock, zone) for day in days for clock in sorted(account.checks))
    return next((one for one in times if one > at and (hours is None or hours.is_open(one))), None)


def _waiting(user: User) -> dict[int, Waiting]:
    """By account: open public conversations whose answer is promised, from the index of open clocks."""
    clocks = Clock.objects.filter(
        target__in=_RESPONSES,
        met_at=None,
        cancelled_at=None,
        conversation__social_thread__is_public=True,
        conversation__in=visible_conversations(user),
    ).exclude(conversation__status__in=DONE)
    told = clocks.order_by("due_at").values_list(
        "conversation__social_thread__account", "conversation", "due_at", "started_at"
    )
    found: dict[int, Waiting] = {}
    for account, conversation, due_at, since in told[:MOST_WAITING]:
        first = found.get(account) or Waiting(0, conversation, due_at, since)
        found[account] = Waiting(first.count + 1, first.conversation, first.due_at, first.since)
    return found


def goals_of(accounts: Sequence[Account]) -> dict[int, int]:
    """Seconds in which what nobody has marked as urgent is answered first, by policy."""
    policies = Policy.objects.filter(pk__in={one.policy_id for one in accounts if one.policy_id})
    goals = policies.filter(
        goals__target=Target.FIRST_RESPONSE, goals__priority=_ANY_PRIORITY, goals__is_live=False
    ).values_list("pk", "goals__seconds")
    return dict(goals)
