"""What a conversation counts for: its rows as figures, from nothing but what is stored of it.

Reckoning them again gives the same rows, so it does not matter how often that is done.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q

from helpdesk.conversations.answers import FORWARD
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Organization, Plan
from helpdesk.sla import clocks
from helpdesk.sla.calendars import hours_of
from helpdesk.sla.models import Calendar, Clock, Policy, Target
from tickets.desk.models import TimeEntry
from tickets.reports.models import Measure

_CONVERSATIONS = f"""
SELECT conversation.id, conversation.channel, conversation.priority, conversation.team_id,
       coalesce(organization.plan_id, (SELECT id FROM {Plan._meta.db_table} WHERE is_default)),
       conversation.organization_id, conversation.assignee_id, conversation.opened_at, conversation.dispatched_at,
       conversation.resolved_at, conversation.is_spam, conversation.merged_into_id IS NOT NULL,
       calendar.id, calendar.version
FROM {Conversation._meta.db_table} conversation
JOIN {Policy._meta.db_table} policy ON policy.id = conversation.policy_id
JOIN {Calendar._meta.db_table} calendar ON calendar.id = policy.calendar_id
LEFT JOIN {Organization._meta.db_table} organization ON organization.id = conversation.organization_id
WHERE conversation.id = ANY(%(ids)s)
"""
_REPLIES = f"""
SELECT conversation_id, agent_id, (at AT TIME ZONE %(zone)s)::date, min(at), count(*)
FROM {Message._meta.db_table}
WHERE conversation_id = ANY(%(ids)s) AND kind = 'outbound' AND agent_id IS NOT NULL AND NOT is_automatic
  AND via <> %(forward)s
GROUP BY 1, 2, 3
"""
_TIME = f"""
SELECT conversation_id, user_id, (at AT TIME ZONE %(zone)s)::date, min(at), sum(minutes)
FROM {TimeEntry._meta.db_table} WHERE conversation_id = ANY(%(ids)s) GROUP BY 1, 2, 3
"""
_ENDS = {
    Target.DISPATCH.value: Measure.DISPATCH.value,
    Target.FIRST_RESPONSE.value: Measure.FIRST_RESPONSE.value,
    Target.RESOLUTION.value: Measure.RESOLUTION.value,
}
"""Promises about something that happens to a conversation once; the next response is promised again and again."""


class Row(NamedTuple):
    """A figure without its key; the columns of `Figure`, in its order."""

    conversation_id: int
    measure: str
    place: int
    at: datetime
    day: date
    hour: int
    channel: str
    priority: str
    team_id: int | None
    plan_id: int | None
    organization_id: int | None
    agent_id: int | None
    amount: int
    seconds: int | None
    working_seconds: int | None
    is_kept: bool | None


class Given(NamedTuple):
    """A conversation, as far as it is counted."""

    id: int
    channel: str
    priority: str
    team_id: int | None
    plan_id: int | None
    organization_id: int | None
    assignee_id: int | None
    opened_at: datetime
    dispatched_at: datetime | None
    resolved_at: datetime | None
    is_spam: bool
    is_merged: bool
    calendar_id: int
    calendar_version: int


class Work(NamedTuple):
    """What one agent did in one conversation on one day of the office: replies written, or minutes spent."""

    agent_id: int
    day: date
    first_at: datetime
    amount: int


def rows_of(ids: Sequence[int], zone: tzinfo, zone_name: str, plans: Mapping[int, int | None]) -> list[Row]:
    """The figures of these conversations. `plans` has the plan of those counted before, which stays."""
    given: dict[str, Any] = {"ids": list(ids), "zone": zone_name, "forward": FORWARD}
    with connection.cursor() as cursor:
        cursor.execute(_CONVERSATIONS, given)
        conversations = [Given(*row) for row in cursor.fetchall()]
        cursor.execute(_REPLIES, given)
        replies = _work(cursor.fetchall())
        cursor.execute(_TIME, given)
        minutes = _work(cursor.fetchall())
    ended = Clock.objects.filter(Q(met_at__isnull=False) | Q(breached_at__isnull=False), conversation__in=list(ids))
    promises: dict[int, list[Clock]] = defaultdict(list)
    for clock in ended.order_by("pk"):
        promises[clock.conversation_id].append(clock)
    found: list[Row] = []
    for conversation in conversations:
        pk = conversation.id
        kept = conversation._replace(plan_id=plans.get(pk, conversation.plan_id))
        found += _Counting(kept, zone).rows(promises[pk], replies[pk], minutes[pk])
    return found


def _work(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[Work]]:
    found: dict[int, list[Work]] = defaultdict(list)
    for conversation_id, *work in sorted(rows, key=lambda row: (row[0], row[2], row[1])):
        found[conversation_id].append(Work(*work))
    return found


class _Counting:
    """The rows of one conversation, numbered by measure as they are added."""

    def __init__(self, conversation: Given, zone: tzinfo) -> None:
        self._of = conversation
        self._zone = zone
        self._rows: list[Row] = []
        self._places: dict[str, int] = defaultdict(int)

    def rows(self, promises: Sequence[Clock], replies: Sequence[Work], minutes: Sequence[Work]) -> list[Row]:
        if self._of.is_spam:
            return []
        self._add_work(Measure.REPLY, replies)
        self._add_work(Measure.TIME, minutes)
        if self._of.is_merged:
            # The one it was merged into is counted; what agents did here was done all the same.
            return self._rows
        self._add(Measure.OPENED, self._of.opened_at)
        happened = {
            Measure.DISPATCH.value: self._of.dispatched_at,
            Measure.FIRST_RESPONSE.value: min((reply.first_at for reply in replies), default=None),
            Measure.RESOLUTION.value: self._of.resolved_at,
        }
        for measure, at in happened.items():
            of_it = [clock for clock in promises if _ENDS.get(clock.target) == measure]
            self._add_ending(measure, at, of_it)
        self._add_next_responses([clock for clock in promises if clock.target == Target.NEXT_RESPONSE])
        return self._rows

    def _add_ending(self, measure: str, at: datetime | None, promises: Sequence[Clock]) -> None:
        """That it happened, with the promise kept by it; other promises that ended have rows of their own."""
        told = next((c for c in promises if c.met_at == at and c.breached_at is None), None) if at else None
        if at is not None:
            self._add(
                measure, at, seconds=(at - self._of.opened_at).total_seconds(),
                working=_worked(self._of, measure, at, promises), is_kept=True if told else None,
            )  # fmt: skip
        for clock in promises:
            if clock is not told:
                self._add_promise(measure, clock)

    def _add_next_responses(self, promises: Sequence[Clock]) -> None:
        for clock in promises:
            if clock.met_at is None:
                self._add_promise(Measure.NEXT_RESPONSE, clock)
                continue
            waited = (clock.met_at - clock.started_at).total_seconds()
            kept = True if clock.breached_at is None else None
            used = clocks.used(clock, clock.met_at)
            self._add(Measure.NEXT_RESPONSE, clock.met_at, seconds=waited, working=used, is_kept=kept)
            if kept is None:
                self._add_promise(Measure.NEXT_RESPONSE, clock)

    def _add_promise(self, measure: str, clock: Clock) -> None:
        ended_at = clock.breached_at or clock.met_at
        assert ended_at is not None, "only such clocks were asked for"
        self._add(measure, ended_at, is_kept=clock.breached_at is None)

    def _add_work(self, measure: str, work: Sequence[Work]) -> None:
        for done in work:
            self._add(measure, done.first_at, agent_id=done.agent_id, amount=done.amount)

    def _add(
        self,
        measure: str,
        at: datetime,
        *,
        seconds: float | None = None,
        working: float | None = None,
        is_kept: bool | None = None,
        agent_id: int | None = None,
        amount: int = 1,
    ) -> None:
        of, local = self._of, at.astimezone(self._zone)
        place = self._places[measure]
        self._places[measure] += 1
        self._rows.append(
            Row(
                of.id, str(measure), place, at, local.date(), local.hour, of.channel, of.priority, of.team_id,
                of.plan_id, of.organization_id, agent_id or of.assignee_id, amount, _whole(seconds), _whole(working),
                is_kept,
            )
        )  # fmt: skip


def _worked(of: Given, measure: str, at: datetime, promises: Sequence[Clock]) -> float:
    """Opening seconds as the clocks counted them; where nothing was promised, those of its policy, waiting included.

    A ticket that was opened again had several clocks: the time between them, when it was done, does not count.
    """
    met = [clock for clock in promises if clock.met_at is not None]
    if measure != Measure.RESOLUTION:
        met = [clock for clock in met if clock.met_at == at]
    if not met:
        return hours_of(of.calendar_id, of.calendar_version).worked(of.opened_at, at)
    return sum(clocks.used(clock, clock.met_at) for clock in met if clock.met_at is not None)


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else min(max(int(seconds), 0), 2**31 - 1)
