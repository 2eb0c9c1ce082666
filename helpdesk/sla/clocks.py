"""Starting, meeting, pausing and moving clocks. Callers hold the conversation's row lock.

Every function works on all the named targets of one conversation in as few statements as it can.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from helpdesk.customers.models import Organization, Plan
from helpdesk.prepared import Prepared
from helpdesk.sla.calendars import hours_of
from helpdesk.sla.hours import OpeningHours
from helpdesk.sla.models import Calendar, Clock, Goal, Policy, Target

WARN_AT_SHARE = 0.8
OPEN = Q(met_at=None, cancelled_at=None)

# Inserts what `values` gives for `conversation`, an SQL expression: alone, or within the statement that makes it.
INSERT = f"""
INSERT INTO {Clock._meta.db_table} (conversation_id, target, goal_seconds, calendar_id, calendar_version, started_at,
    running_since, used_seconds, due_at, warn_at, wake_at, pauses)
SELECT {{conversation}}, target, goal, calendar, version, started, started, 0, due, warn, warn, '[]'
FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
    AS g(target, goal, calendar, version, started, due, warn)
ON CONFLICT (conversation_id, target) WHERE met_at IS NULL AND cancelled_at IS NULL DO NOTHING
"""
_START = Prepared("start_clocks", INSERT.format(conversation="%s::bigint"))
_PROMISES = Prepared(
    "promises",
    f"""
SELECT goal.target, goal.seconds, calendar.id, calendar.version FROM {Goal._meta.db_table} goal
JOIN {Policy._meta.db_table} policy ON policy.id = goal.policy_id
JOIN {Calendar._meta.db_table} calendar ON calendar.id = policy.calendar_id
WHERE goal.policy_id = %s AND goal.priority = %s AND NOT goal.is_live
""",
)
_PLANNED = Prepared(
    "planned_promises",
    f"""
SELECT plan.policy_id, goal.target, goal.seconds, calendar.id, calendar.version FROM {Plan._meta.db_table} plan
JOIN {Policy._meta.db_table} policy ON policy.id = plan.policy_id
JOIN {Calendar._meta.db_table} calendar ON calendar.id = policy.calendar_id
LEFT JOIN {Goal._meta.db_table} goal ON goal.policy_id = plan.policy_id AND goal.priority = %s AND NOT goal.is_live
WHERE plan.id = coalesce((SELECT plan_id FROM {Organization._meta.db_table} WHERE id = %s),
                         (SELECT id FROM {Plan._meta.db_table} WHERE is_default))
""",
)
_LIVE = Prepared(
    "live_promises",
    f"""
SELECT goal.target, goal.seconds, calendar.id, calendar.version FROM {Goal._meta.db_table} goal
JOIN {Calendar._meta.db_table} calendar ON calendar.id = coalesce(
    (SELECT id FROM {Calendar._meta.db_table} WHERE is_office),
    (SELECT calendar_id FROM {Policy._meta.db_table} WHERE id = goal.policy_id))
WHERE goal.policy_id = %s AND goal.priority = %s AND goal.is_live
""",
)
_STATES = Prepared(
    "clock_states",
    f"""
SELECT target, met_at IS NOT NULL, cancelled_at IS NOT NULL, paused_at IS NOT NULL
FROM {Clock._meta.db_table} WHERE conversation_id = %s
""",
)


@dataclass(frozen=True, slots=True)
class States:
    """The targets of one conversation's clocks: which are open, which of those are paused, which were met once."""

    open: frozenset[str]
    paused: frozenset[str]
    met: frozenset[str]


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


@dataclass(frozen=True, slots=True)
class Start:
    """A clock to start: the promise, and when it is due and warns."""

    promise: Promise
    due_at: datetime
    warn_at: datetime


def states(conversation_id: int) -> States:
    """Where the conversation's clocks stand; one statement."""
    rows = _STATES.rows([conversation_id])
    running = [
        (target, is_paused) for target, is_met, is_cancelled, is_paused in rows if not is_met and not is_cancelled
    ]
    return States(
        open=frozenset(target for target, _ in running),
        paused=frozenset(target for target, is_paused in running if is_paused),
        met=frozenset(target for target, is_met, _, _ in rows if is_met),
    )


def promises(policy_id: int, priority: str) -> dict[str, Promise]:
    """What the policy promises for a priority, by target."""
    return {row[0]: Promise(*row) for row in _PROMISES.rows([policy_id, priority])}


def planned(organization_id: int | None, priority: str) -> tuple[int | None, dict[str, Promise]]:
    """The policy of the organization's plan, or of the default one, and what it promises for a priority, by target.

    The policy is None where there is no default plan either.
    """
    rows = _PLANNED.rows([priority, organization_id])
    policy_id = rows[0][0] if rows else None
    return policy_id, {row[1]: Promise(*row[1:]) for row in rows if row[1] is not None}


def live(policy_id: int, priority: str) -> dict[str, Promise]:
    """What the policy promises besides while the customer waits in a live conversation, by target."""
    return {row[0]: Promise(*row) for row in _LIVE.rows([policy_id, priority])}


def sooner(starts: Iterable[Start]) -> list[Start]:
    """Of several for one target the one that is due first."""
    first: dict[str, Start] = {}
    for one in starts:
        known = first.get(one.promise.target)
        if known is None or one.due_at < known.due_at:
            first[one.promise.target] = one
    return list(first.values())


def start(conversation_id: int, wanted: Iterable[Promise], *, at: datetime) -> None:
    """Start the clocks that are not open already."""
    starts = reckon(wanted, at=at)
    if starts:
        _START.run([conversation_id, *values(starts, at=at)])


def reckon(wanted: Iterable[Promise], *, at: datetime) -> list[Start]:
    """When the promises would be due if they counted from `at`."""
    return [Start(p, p.hours.add(at, p.seconds), p.hours.add(at, p.seconds * WARN_AT_SHARE)) for p in wanted]


def values(starts: Sequence[Start], *, at: datetime) -> list[Any]:
    """The parameters of INSERT behind those of its conversation."""
    return [
        [start.promise.target for start in starts],
        [start.promise.seconds for start in starts],
        [start.promise.calendar_id for start in starts],
        [start.promise.calendar_version for start in starts],
        [at] * len(starts),
        [start.due_at for start in starts],
        [start.warn_at for start in starts],
    ]


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


def reopen(conversation_id: int, *, ended_at: datetime) -> None:
    """Take back what met or cancelled clocks at that very instant; a clock that has begun since is left alone."""
    ended = Clock.objects.filter(Q(met_at=ended_at) | Q(cancelled_at=ended_at), conversation_id=conversation_id)
    running = set(open_clocks(conversation_id, Target.values).values_list("target", flat=True))
    for clock in ended.order_by("pk"):
        if clock.target in running:
            continue
        clock.met_at = clock.cancelled_at = None
        if clock.paused_at is None:
            arm(clock)
        clock.save()


def forget(conversation_id: int, *, started_at: datetime) -> None:
    """Take back clocks that began at that very instant."""
    Clock.objects.filter(OPEN, conversation_id=conversation_id, started_at=started_at).delete()


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


def hasten(conversation_id: int, targets: Collection[str], promise: Promise, *, at: datetime) -> None:
    """Somebody waits for it now: open clocks that would be due later than this promise count it from now on."""
    due_at = promise.hours.add(at, promise.seconds)
    for clock in open_clocks(conversation_id, targets):
        if clock.due_at is not None and clock.due_at <= due_at:
            continue
        clock.goal_seconds, clock.calendar_id = promise.seconds, promise.calendar_id
        clock.calendar_version = promise.calendar_version
        clock.used_seconds, clock.running_since, clock.paused_at, clock.warned_at = 0, at, None, None
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
