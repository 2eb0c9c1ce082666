"""What a rule would have done: over what happened last, without changing anything.

Conditions are asked of the conversations as they are now, and the hours of when it happened. Past runs, limits and what
the rule's own actions would have changed meanwhile are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q

from helpdesk.conversations import visibility
from helpdesk.conversations.models import DONE, Conversation
from helpdesk.customers.models import User
from helpdesk.events.models import Event
from helpdesk.numbers import is_number
from tickets.desk import cases, conditions, rules, variables
from tickets.desk.models import Rule

MOST = 200
# So many events of the log, or idle conversations, are looked at in one call; `next` goes on from there.
WINDOW = 20_000
_CHUNK = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadCursor(ValueError):
    """Not a place that a dry run gave out."""


@dataclass(frozen=True, slots=True)
class Match:
    """A conversation the rule would act on, because of an event (None: it is idle), and what it would do."""

    conversation: Conversation
    event: Event | None
    at: datetime
    actions: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class DryRun:
    """`looked_at` events or conversations were looked at. `next` is where to go on, None at the end."""

    matches: Sequence[Match]
    looked_at: int
    next: str | None


def dry_run(rule: Rule, user: User, limit: int, at: datetime, before: str = "") -> DryRun:
    """The newest cases the rule would act on, at most `limit`, of what `user` may see; `before` is a `next`.

    The rule need not be saved, but checked. Raises BadCursor.
    """
    limit = max(1, min(limit, MOST))
    return _idle(rule, user, limit, at, before) if rule.event == rules.IDLE else _past(rule, user, limit, before)


def _past(rule: Rule, user: User, limit: int, before: str) -> DryRun:
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    top = min(_number(before), newest + 1) if before else newest + 1
    bottom, here = max(top - WINDOW, 0), top
    matches: list[Match] = []
    looked_at = 0
    while here > bottom:
        chunk = list(
            Event.objects.filter(pk__lt=here, pk__gte=bottom, kind=rule.event, conversation__isnull=False)
            .filter(visibility.visible_to(user, "conversation__"))
            .order_by("-pk")[:_CHUNK]
        )
        by_event = {case.event.pk: case for case in cases.cases_of(chunk) if case.event is not None}
        for event in chunk:
            here, looked_at = event.pk, looked_at + 1
            case = by_event.get(event.pk)
            if case is not None and rule.pk not in rules.chain(event) and conditions.hold(rule.conditions, case):
                matches.append(Match(case.conversation, event, event.at, _told(rule, case)))
                if len(matches) == limit:
                    return DryRun(matches, looked_at, str(here))
        if len(chunk) < _CHUNK:
            here = bottom
    return DryRun(matches, looked_at, str(bottom) if Event.objects.filter(pk__lt=bottom).exists() else None)


def _idle(rule: Rule, user: User, limit: int, at: datetime, before: str) -> DryRun:
    silent = Conversation.objects.filter(
        visibility.visible_to(user), updated_at__lte=at - timedelta(hours=rule.idle_hours or 0), merged_into=None
    )
    matches: list[Match] = []
    looked_at, place = 0, _place(before) if before else None
    while looked_at < WINDOW:
        rows = silent
        if place is not None:
            rows = rows.filter(Q(updated_at__lt=place[0]) | Q(updated_at=place[0], pk__lt=place[1]))
        chunk = list(rows.exclude(status__in=DONE).defer("search").order_by("-updated_at", "-pk")[:_CHUNK])
        for case in cases.cases_of_conversations(chunk):
            row, looked_at = case.conversation, looked_at + 1
            place = (row.updated_at, row.pk)
            if conditions.hold(rule.conditions, case):
                matches.append(Match(row, None, row.updated_at, _told(rule, case)))
                if len(matches) == limit:
                    return DryRun(matches, looked_at, _cursor(place))
        if len(chunk) < _CHUNK:
            return DryRun(matches, looked_at, None)
    return DryRun(matches, looked_at, _cursor(place) if place else None)


def _told(rule: Rule, case: conditions.Case) -> list[dict[str, Any]]:
    """The actions with their texts filled in, as the customer would read them."""
    values = variables.values_of(case.conversation, None)
    told = []
    for step in rule.actions:
        filled = dict(step)
        if step["do"] in ("reply", "note"):
            filled["value"] = variables.fill(step["value"], values)
        told.append(filled)
    return told


def _number(text: str) -> int:
    if not is_number(text):
        raise BadCursor(text[:40])
    return int(text)


def _cursor(place: tuple[datetime, int]) -> str:
    return f"{(place[0] - _EPOCH) // timedelta(microseconds=1)}-{place[1]}"


def _place(text: str) -> tuple[datetime, int]:
    stamp, _, number = text.partition("-")
    micros = _number(stamp)
    try:
        since = _EPOCH + timedelta(microseconds=micros)
    except OverflowError as error:
        raise BadCursor(text[:40]) from error
    return since, _number(number)
