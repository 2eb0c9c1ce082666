"""How long a customer will wait for an answer, reckoned from how long others did. Nobody types it in."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from django.db import connection
from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chat.models import Chat, ReplyTime, Widget
from helpdesk.conversations.models import Message, Priority
from helpdesk.customers.lookup import default_plan
from helpdesk.sla import calendars
from helpdesk.sla.hours import OpeningHours
from helpdesk.sla.models import Goal, Target

LOOKS_BACK: Final = timedelta(days=14)
MOST: Final = 200
LEAST: Final = 10
# Where one in ten waits this many times as long as most, one figure would be a lie.
SPREAD: Final = 4
MINUTE, HOUR = 60, 3600
FEW_HOURS, DAY = 6 * HOUR, 24 * HOUR
STEPS: Final = (*(minutes * MINUTE for minutes in (1, 2, 3, 5, 10, 15, 30)), HOUR, FEW_HOURS, DAY)

# Who wrote without ever being joined was not chatting; machines' answers are none.
_ANSWERED = f"""
SELECT chat.started_at, answer.at
FROM {Chat._meta.db_table} AS chat
CROSS JOIN LATERAL (
    SELECT message.at FROM {Message._meta.db_table} AS message
    WHERE message.conversation_id = chat.conversation_id AND message.kind = 'outbound'
        AND message.author_kind = 'agent' AND NOT message.is_automatic AND message.at >= chat.started_at
    ORDER BY message.id LIMIT 1
) AS answer
WHERE chat.widget_id = %s AND chat.started_at >= %s AND chat.joined_at IS NOT NULL
ORDER BY chat.started_at DESC, chat.conversation_id DESC LIMIT {MOST}
"""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds of office time, each one of STEPS; `low` and `high` differ where waits do, by far."""

    low: int
    high: int


def of(widget: Widget, *, at: datetime) -> Estimate | None:
    """What to tell who writes now; None until enough have been answered. Never less than somebody waits already."""
    known = ReplyTime.objects.filter(widget=widget, counted__gte=LEAST).first()
    if known is None:
        return None
    wait = _longest_wait(widget, at)
    far = known.ninetieth if known.ninetieth > SPREAD * known.median else known.median
    return Estimate(rounded(max(known.median, wait)), rounded(max(far, wait)))


def rounded(seconds: float) -> int:
    """The least of STEPS that is no less; a day where it is more."""
    return STEPS[min(bisect_left(STEPS, seconds), len(STEPS) - 1)]


def says(widget: Widget, expected: Estimate | None, *, at: datetime) -> str:
    """The sentence customers read, in the active language."""
    return aim(widget, at=at) if expected is None else words(expected)


def words(estimate: Estimate) -> str:
    """An estimate as a sentence."""
    if estimate.low == estimate.high:
        return _SENTENCES[estimate.low]()
    return _("Usually replies in %(low)s to %(high)s") % {"low": _span(estimate.low), "high": _span(estimate.high)}


def aim(widget: Widget, *, at: datetime) -> str:
    """What is said until enough were answered: the goal for a chat's first answer that the default plan has, as a goal.
    Empty without one, where it is an hour or more, and where somebody waits longer already.
    """
    plan = default_plan()
    goals = Goal.objects.filter(target=Target.FIRST_RESPONSE, priority=Priority.NORMAL, is_live=True)
    goal = goals.filter(policy=plan.policy_id).first() if plan is not None else None
    if goal is None or goal.seconds >= HOUR or _longest_wait(widget, at) > goal.seconds:
        return ""
    minutes = -(-goal.seconds // MINUTE)
    told = ngettext("We aim to reply within %(count)s minute", "We aim to reply within %(count)s minutes", minutes)
    return told % {"count": minutes}


def reckon_all(*, at: datetime) -> int:
    """Look anew how long answers take, for every widget in use; how many of them are known well enough."""
    found = [reckon(widget, at=at) for widget in Widget.objects.filter(is_active=True).order_by("pk")]
    return sum(row.counted >= LEAST for row in found)


def reckon(widget: Widget, *, at: datetime) -> ReplyTime:
    """Look anew how long the last answers took, in office time, and keep it."""
    hours = calendars.office_hours()
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, [widget.pk, at - LOOKS_BACK])
        waits = sorted(_worked(hours, began, answered) for began, answered in cursor.fetchall())
    typical = round(median(waits)) if waits else 0
    ninetieth = round(waits[len(waits) * 9 // 10]) if waits else 0
    figures = {"median": typical, "ninetieth": ninetieth, "counted": len(waits), "at": at}
    return ReplyTime.objects.update_or_create(widget=widget, defaults=figures)[0]


def _longest_wait(widget: Widget, at: datetime) -> float:
    waiting = Chat.objects.filter(widget=widget, state=Chat.State.WAITING, mode=Chat.Mode.CHAT)
    since: datetime | None = waiting.aggregate(since=Min("started_at"))["since"]
    return 0.0 if since is None else _worked(calendars.office_hours(), since, at)


def _worked(hours: OpeningHours | None, began: datetime, ended: datetime) -> float:
    return max((ended - began).total_seconds(), 0.0) if hours is None else hours.worked(began, ended)


# Whole sentences: other languages do not put them together from parts.
_SENTENCES: Final = {
    MINUTE: lambda: _("Usually replies in a minute"),
    2 * MINUTE: lambda: _("Usually replies in 2 minutes"),
    3 * MINUTE: lambda: _("Usually replies in 3 minutes"),
    5 * MINUTE: lambda: _("Usually replies in 5 minutes"),
    10 * MINUTE: lambda: _("Usually replies in 10 minutes"),
    15 * MINUTE: lambda: _("Usually replies in 15 minutes"),
    30 * MINUTE: lambda: _("Usually replies in half an hour"),
    HOUR: lambda: _("Usually replies in an hour"),
    FEW_HOURS: lambda: _("Usually replies in a few hours"),
    DAY: lambda: _("Usually replies in a day"),
}


def _span(seconds: int) -> str:
    if seconds < HOUR:
        return _("%(minutes)s min") % {"minutes": seconds // MINUTE}
    return {HOUR: _("an hour"), FEW_HOURS: _("a few hours")}.get(seconds, _("a day"))
