"""Starting, meeting, pausing and moving clocks. Callers hold the conversation's row lock.

Every function works on all the named targets of one conversation in as few statements as it can.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from helpdesk.sla.calendars import hours_of
from helpdesk.sla.hours import OpeningHours
from helpdesk.sla.models import Calendar, Clock, Goal, Policy

WARN_AT_SHARE = 0.8
OPEN = Q(met_at=None, cancelled_at=None)

_START = f"""
INSERT INTO {Clock._meta.db_table} (conversation_id, target, goal_seconds, calendar_id, calendar_version, started_at,
    running_since, used_seconds, due_at, warn_at, wake_at, pauses)
SELECT %s, target, goal, calendar, version, %s, %s, 0, due, warn, warn, '[]'
FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::int[], %s::timestamptz[], %s::timestamptz[])
    AS g(target, goal, calendar, version, due, warn)
ON CONFLICT (conversation_id, target) WHERE met_at IS NULL AND cancelled_at IS NULL DO NOTHING
"""

_PROMISES = f"""
SELECT goal.target, goal.seconds, calendar.id, calendar.version FROM {Goal._meta.db_table} goal
JOIN {Policy._meta.db_table} policy ON policy.id = goal.policy_id
JOIN {Calendar._meta.db_table} calendar ON calendar.id = policy.calendar_id
WHERE goal.policy_id = %s AND goal.priority = %s
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """A goal with the calendar it counts on, as a policy gives it now."""

    target: str
    seconds: int
    calendar_id: int
    calendar_version: int

    @property
    def hours(self) -> OpeningHours:
        return hours_of(self.calendar_id, self.calendar_version)


def promises(policy_id: int, priority: str) -> dict[str, Promise]:
    """What the policy promises for a priority, by target."""
    with connection.cursor() as cursor:
        cursor.execute(_PROMISES, [policy_id, priority])
        return {target: Promise(target, *rest) for target, *rest in cursor.fetchall()}


def start(conversation_id: int, wanted: Iterable[Promise], *, at: datetime) -> None:
    """Start the clocks that are not open already."""
    rows = [(p, p.hours.add(at, p.seconds), p.hours.add(at, p.seconds * WARN_AT_SHARE)) for p in wanted]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _START,
            [
                conversation_id,
                at,
                at,
                [p.target for p, _, _ in rows],
                [p.seconds for p, _, _ in rows],
                [p.calendar_id for p, _, _ in rows],
                [p.calendar_version for p, _, _ in rows],
                [due for _, due, _ in rows],
                [warn for _, _, warn in rows],
            ],
        )


def meet(conversation_id: int, targets: Collection[str], *, at: datetime) -> int:
    """The promise was kept, late or not; how many clocks that closed. A late answer leaves the breach on record."""
    clocks = open_clocks(conversation_id, targets)
    late = clocks.filter(due_at__lt=at, breached_at=None)
    for clock in late:
        # Answered after the deadline but before any sweep saw it: still a breach.
        Clock.objects.filter(pk=clock.pk).update(breached_at=clock.due_at)
    return clocks.update(met_at=at, wake_at=None)


def cancel(conversation_id: int, targets: Collection[str], *, at: datetime) -> int:
    """The promise no longer makes sense, as when a ticket is resolved without an answer."""
    return open_clocks(conversation_id, targets).update(cancelled_at=at, wake_at=None)


def pause(conversation_id: int, targets: Collection[str], *, at: datetime) -> None:
    """Bank the opening time used and stop counting."""
    for clock in open_clocks(conversation_id, targets).filter(paused_at=None):
        clock.used_seconds = used(clock, at)
        clock.paused_at, clock.running_since = at, None
        clock.due_at = clock.warn_at = clock.wake_at = None
        clock.save()


def resume(conversation_id: int, targets: Collection[str], *, at: datetime) -> None:
    """Count on with what is left of the goal."""
    for clock in open_clocks(conversation_id, targets).filter(paused_at__isnull=False).select_related("calendar"):
        assert clock.paused_at is not None
        clock.pauses = [*clock.pauses, [clock.paused_at.isoformat(), at.isoformat()]]
        clock.paused_at = None
        clock.running_since, clock.calendar_version = at, clock.calendar.version
        arm(clock)
        clock.save()


def change_goals(conversation_id: int, goals: dict[str, Promise], *, at: datetime) -> None:
    """Another priority, another promise: open clocks keep their start and the time used, and get the new goal."""
    for clock in open_clocks(conversation_id, goals.keys()):
        goal = goals[clock.target]
        if clock.paused_at is None:
            clock.used_seconds, clock.running_since = used(clock, at), at
        clock.goal_seconds, clock.calendar_id = goal.seconds, goal.calendar_id
        clock.calendar_version = goal.calendar_version
        if clock.paused_at is None:
            arm(clock)
        clock.save()


def open_clocks(conversation_id: int, targets: Collection[str]) -> QuerySet[Clock]:
    return Clock.objects.filter(OPEN, conversation_id=conversation_id, target__in=list(targets))


def used(clock: Clock, at: datetime) -> float:
    """Seconds of opening time counted until `at`."""
    if clock.running_since is None:
        return clock.used_seconds
    return clock.used_seconds + hours_of(clock.calendar_id, clock.calendar_version).worked(clock.running_since, at)


def arm(clock: Clock) -> None:
    """Set due, warning and waking time from what is left of the goal since `running_since`. Does not save.

    A breach that was recorded stays recorded, and such a clock wakes nobody again.
    """
    assert clock.running_since is not None
    hours = hours_of(clock.calendar_id, clock.calendar_version)
    left = max(clock.goal_seconds - clock.used_seconds, 0)
    until_warning = max(clock.goal_seconds * WARN_AT_SHARE - clock.used_seconds, 0)
    clock.due_at = hours.add(clock.running_since, left)
    clock.warn_at = hours.add(clock.running_since, until_warning)
    if clock.breached_at is not None:
        clock.wake_at = None
    else:
        clock.wake_at = clock.due_at if clock.warned_at is not None else clock.warn_at
