"""A report as tables: what the page, its charts, CSV and the API all show, from one reading."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from helpdesk.conversations.models import Conversation, Priority
from helpdesk.customers import visibility
from helpdesk.customers.models import User
from helpdesk.desk.tables import Column, Table, instants
from helpdesk.sla.models import Goal
from tickets.desk import wording
from tickets.reports import reading
from tickets.reports.models import Measure
from tickets.reports.reading import PROMISED, TIMED, AgentNumbers, Key, Numbers
from tickets.reports.selection import Selection

# Past so many open conversations an agent's are not counted one by one.
MOST_OPEN: Final = 1_000
OWN: Final = ("volume", "times", "trend", "promises", "teams", "channels", "hours", "agents", "pages")
_OTHERS: Final = [import_module(name) for name in settings.REPORTS]
KEYS: Final[tuple[str, ...]] = (*OWN, *(key for other in _OTHERS for key in other.KEYS))
_PAGES = f"""
SELECT page.urgency, count(*), count(page.acknowledged_at), count(page.resolved_at),
       percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (
           ORDER BY extract(epoch FROM page.acknowledged_at - page.triggered_at)::int)
FROM helpdesk_page page LEFT JOIN {Conversation._meta.db_table} conversation ON conversation.id = page.conversation_id
WHERE page.triggered_at >= %(from)s AND page.triggered_at < %(until)s AND {{where}}
GROUP BY page.urgency
"""


@dataclass(frozen=True)
class Report:
    """All of it: the tables, the totals of the period and those of the one before, how many are open at its end."""

    selection: Selection
    tables: dict[str, Table]
    now: Numbers
    before: Numbers
    backlog: int
    backlog_before: int
    week: list[list[int]]
    names: dict[str, dict[int, str]] = field(default_factory=dict)


def report(selection: Selection, user: User) -> Report:
    """Everything of a selection, in a bounded number of statements."""
    now, before = reading.numbers(selection, user), reading.numbers(selection.before(), user, only_totals=True)
    start = reading.backlog_before(selection, user)
    week, done = reading.hours_and_agents(selection, user)
    names = _names(user, done)
    end = start + now.count(Measure.OPENED) - now.count(Measure.RESOLUTION)
    made = [
        _volume(selection, now, start),
        _times(now, _goals(selection)),
        _trend(selection, now),
        _promises(now),
        _groups("teams", _("Teams"), "team", now, names["team"]),
        _groups("channels", _("Channels"), "channel", now, names["channel"]),
        _hours(week),
        _agents(selection, user, done, names["agent"]),
        _pages(selection, user),
        *(table for other in _OTHERS for table in other.tables(selection, user)),
    ]
    return Report(selection, {table.key: table for table in made}, now, before, end, start, week, names)


def _names(user: User, done: dict[int, AgentNumbers]) -> dict[str, dict[Any, str]]:
    teams: dict[Any, str] = dict(visibility.visible_teams(user).values_list("pk", "name"))
    agents: dict[Any, str] = {a.pk: a.name or a.email for a in User.objects.only("pk", "name", "email")}
    return {"team": {**teams, None: _("No team")}, "agent": agents, "channel": {}}


def _volume(selection: Selection, now: Numbers, backlog: int) -> Table:
    rows: list[list[Any]] = []
    for unit in selection.units:
        new = now.count(Measure.OPENED, "unit", unit)
        resolved = now.count(Measure.RESOLUTION, "unit", unit)
        backlog += new - resolved
        rows.append([max(unit, selection.start), new, resolved, backlog])
    title = {"day": _("Day"), "week": _("Week from"), "month": _("Month from")}[selection.unit]
    columns = [
        Column("starts", title, "day"),
        Column("new", _("New")),
        Column("resolved", _("Resolved")),
        Column("backlog", _("Backlog"), about=_("Not resolved at the end")),
    ]
    return Table("volume", _("Volume and backlog"), columns, rows)


def _times(now: Numbers, goals: dict[tuple[str, str], list[int]]) -> Table:
    rows: list[list[Any]] = []
    for measure in TIMED:
        for priority in (*Priority.values, None):
            scope, key = ("priority", priority) if priority else ("total", None)
            times = now.time(measure, scope, key)
            ended = now.kept.get((scope, key, measure), 0) + now.broken.get((scope, key, measure), 0)
            if not times.count and not ended and priority:
                continue
            wanted = goals.get((measure, priority), []) if priority else []
            named = wording.priority_name(priority) if priority else _("All")
            lowest, highest = (min(wanted), max(wanted)) if wanted else (None, None)
            share = now.share([measure], scope, key)
            target = wording.target_name(measure)
            rows.append([target, named, times.count, times.median, times.p90, lowest, highest, share])
    columns = [
        Column("target", _("What"), "text"),
        Column("priority", _("Priority"), "text"),
        Column("count", _("Number")),
        Column("median", _("Median"), "seconds"),
        Column("p90", _("90 %"), "seconds", _("Nine of ten took no longer")),
        Column("goal", _("Goal from"), "seconds"),
        Column("goal_most", _("Goal to"), "seconds"),
        Column("kept", _("Kept"), "share"),
    ]
    return Table("times", _("Times against goals"), columns, rows)


def _goals(selection: Selection) -> dict[tuple[str, str], list[int]]:
    goals = Goal.objects.filter(is_live=False)
    if selection.plan is not None:
        goals = goals.filter(policy__plans=selection.plan)
    found: dict[tuple[str, str], list[int]] = {}
    for target, priority, seconds in goals.values_list("target", "priority", "seconds"):
        found.setdefault((target, priority), []).append(seconds)
    return found


def _trend(selection: Selection, now: Numbers) -> Table:
    shown = (Measure.FIRST_RESPONSE, Measure.RESOLUTION, Measure.DISPATCH)
    rows: list[list[Any]] = []
    for unit in selection.units:
        times = [now.time(measure, "unit", unit) for measure in shown]
        rows.append([max(unit, selection.start), *(value for t in times for value in (t.count, t.median, t.p90))])
    columns = [Column("starts", _("From"), "day")]
    for measure in shown:
        name = wording.target_name(measure)
        columns += [
            Column(f"{measure}_count", _("%s: number") % name),
            Column(f"{measure}_median", _("%s: median") % name, "seconds"),
            Column(f"{measure}_p90", _("%s: 90 %%") % name, "seconds"),
        ]
    return Table("trend", _("Times as they went"), columns, rows)


def _promises(now: Numbers) -> Table:
    rows: list[list[Any]] = []
    for measure in PROMISED:
        kept = now.kept.get(("total", None, measure), 0)
        broken = now.broken.get(("total", None, measure), 0)
        rows.append([wording.target_name(measure), kept, broken, now.share([measure])])
    columns = [
        Column("target", _("Promise"), "text"),
        Column("kept", _("Kept")),
        Column("broken", _("Broken")),
        Column("share", _("Share kept"), "share"),
    ]
    return Table("promises", _("Promises kept"), columns, rows)


def _groups(key: str, title: str, scope: str, now: Numbers, names: dict[Any, str]) -> Table:
    rows: list[list[Any]] = []
    for one in now.keys(scope):
        new, resolved = now.count(Measure.OPENED, scope, one), now.count(Measure.RESOLUTION, scope, one)
        first, solved = now.time(Measure.FIRST_RESPONSE, scope, one), now.time(Measure.RESOLUTION, scope, one)
        share = now.share(PROMISED, scope, one)
        if new or resolved or share is not None:
            rows.append([_name(scope, one, names), new, resolved, first.median, solved.median, share])
    rows.sort(key=lambda row: (-row[1], row[0]))
    columns = [
        Column("name", title, "text"),
        Column("new", _("New")),
        Column("resolved", _("Resolved")),
        Column("first_response_median", _("First response, median"), "seconds"),
        Column("resolution_median", _("Resolution, median"), "seconds"),
        Column("kept", _("Promises kept"), "share"),
    ]
    return Table(key, title, columns, rows)


def _name(scope: str, key: Key, names: dict[Any, str]) -> str:
    if scope == "channel":
        return wording.channel_name(str(key))
    return names.get(key) or _("Deleted (%s)") % key


def _hours(week: list[list[int]]) -> Table:
    columns = [Column("weekday", _("Weekday"), "text"), *(Column(f"h{hour:02}", f"{hour}") for hour in range(24))]
    rows: list[list[Any]] = [[str(WEEKDAYS[number]), *hours] for number, hours in enumerate(week)]
    return Table("hours", _("Busiest hours"), columns, rows)


def _agents(selection: Selection, user: User, done: dict[int, AgentNumbers], names: dict[Any, str]) -> Table:
    active = list(User.objects.filter(is_active=True).exclude(role=User.Role.VIEWER).values_list("pk", flat=True))
    shown = [pk for pk in {*active, *done} if selection.agent in (None, pk)]
    opened = open_now(shown, user)
    rows: list[list[Any]] = []
    for pk in shown:
        did = done.get(pk, AgentNumbers())
        rows.append([names.get(pk) or f"#{pk}", opened.get(pk, 0), did.handled, did.replies, did.minutes])
    rows.sort(key=lambda row: (-row[2], -row[3], row[0]))
    columns = [
        Column("name", _("Agent"), "text"),
        Column("open", _("Open now"), about=_("At most %s is counted") % MOST_OPEN),
        Column("handled", _("Resolved")),
        Column("replies", _("Replies")),
        Column("minutes", _("Time spent"), "minutes"),
    ]
    return Table("agents", _("Agents"), columns, rows)


def open_now(agents: Iterable[int], user: User) -> dict[int, int]:
    """How many conversations that are not done each of these agents has, of those the user may see; up to MOST_OPEN."""
    sql = f"""
        SELECT agent.id, (SELECT count(*) FROM (
            SELECT FROM {Conversation._meta.db_table} WHERE assignee_id = agent.id
              AND status IN ('new', 'open', 'pending', 'on_hold') AND {visibility.condition(user)}
            LIMIT {MOST_OPEN}) AS found)
        FROM unnest(%(agents)s::bigint[]) AS agent(id)"""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"agents": list(agents), "user": user.pk or 0})
        return dict(cursor.fetchall())


def _pages(selection: Selection, user: User) -> Table:
    where, given = _whose_pages(selection, user)
    with connection.cursor() as cursor:
        cursor.execute(_PAGES.format(where=where), given)
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    rows: list[list[Any]] = []
    for urgency, name in (("high", _("High")), ("low", _("Low"))):
        count, acknowledged, resolved, quantiles = found.get(urgency, (0, 0, 0, None))
        median, p90 = quantiles or (None, None)
        rows.append([name, count, acknowledged, median, p90, resolved])
    columns = [
        Column("urgency", _("Urgency"), "text"),
        Column("count", _("Pages")),
        Column("acknowledged", _("Acknowledged")),
        Column("median", _("Acknowledged in, median"), "seconds"),
        Column("p90", _("Acknowledged in, 90 %"), "seconds"),
        Column("resolved", _("Resolved")),
    ]
    return Table("pages", _("Pages"), columns, rows)


def _whose_pages(selection: Selection, user: User) -> tuple[str, dict[str, Any]]:
    """Pages behind which there is no conversation belong to everybody, as long as nobody's are asked for."""
    start, until = instants(selection)
    given: dict[str, Any] = {"from": start, "until": until, "user": user.pk or 0}
    found = [f"(page.conversation_id IS NULL OR {visibility.condition(user, 'conversation.team_id')})"]
    if selection.team == 0:
        found.append("conversation.team_id IS NULL AND page.conversation_id IS NOT NULL")
    columns = {
        "team": "conversation.team_id",
        "organization": "conversation.organization_id",
        "channel": "conversation.channel",
        "priority": "conversation.priority",
        "agent": "page.acknowledged_by_id",
    }
    for name, column in columns.items():
        value = getattr(selection, name)
        if value is not None and (name, value) != ("team", 0):
            found.append(f"{column} = %({name})s")
            given[name] = value
    if selection.plan is not None:
        found.append("conversation.organization_id IN (SELECT id FROM helpdesk_organization WHERE plan_id = %(plan)s)")
        given["plan"] = selection.plan
    return " AND ".join(found), given
