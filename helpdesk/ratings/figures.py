"""What customers thought of our help, as tables of the reports: by score, team, agent, channel and topic.

Read from the ratings themselves: one statement over those given in the period, by their index, and one for topics.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext as _

from helpdesk.conversations.channel_names import channel_name
from helpdesk.conversations.models import Conversation, Tag
from helpdesk.customers.models import Organization, Team, User
from helpdesk.customers.visibility import condition
from helpdesk.desk.tables import Column, Selection, Table, narrowed
from helpdesk.ratings.giving import LOW
from helpdesk.ratings.models import Rating
from helpdesk.ratings.wording import WORDS

KEYS: Final = (
    "satisfaction", "satisfaction_teams", "satisfaction_agents", "satisfaction_channels", "satisfaction_topics"
)  # fmt: skip
GOOD: Final = 4
MOST_TOPICS: Final = 50
_FIGURES: Final = f"""count(*), avg(rating.score)::float, count(*) FILTER (WHERE rating.score >= {GOOD}),
    count(*) FILTER (WHERE rating.score <= {LOW})"""
_FROM: Final = f"""
FROM {Rating._meta.db_table} AS rating JOIN {Conversation._meta.db_table} AS c ON c.id = rating.conversation_id
LEFT JOIN {Organization._meta.db_table} AS organization ON organization.id = c.organization_id
"""
_GIVEN: Final = "rating.score IS NOT NULL AND rating.rated_at >= %(from)s AND rating.rated_at < %(until)s"
# GROUPING is a bit a column that a row is not about, the first one highest.
_SCOPES: Final = {0b0111: "score", 0b1011: "team", 0b1101: "agent", 0b1110: "channel"}
_GROUPED: Final = f"""
SELECT GROUPING(rating.score, rating.team_id, rating.agent_id, rating.channel), rating.score, rating.team_id,
    rating.agent_id, rating.channel, {_FIGURES}
{_FROM} WHERE {_GIVEN} AND {{where}}
GROUP BY GROUPING SETS ((rating.score), (rating.team_id), (rating.agent_id), (rating.channel))
"""
_TOPICS: Final = f"""
SELECT tag.name, {_FIGURES}
{_FROM} JOIN {Conversation.tags.through._meta.db_table} AS has ON has.conversation_id = c.id
JOIN {Tag._meta.db_table} AS tag ON tag.id = has.tag_id
WHERE {_GIVEN} AND {{where}} GROUP BY tag.name ORDER BY count(*) DESC, tag.name LIMIT {MOST_TOPICS}
"""
_FILTERS: Final = {
    "team": "rating.team_id",
    "agent": "rating.agent_id",
    "channel": "rating.channel",
    "priority": "c.priority",
    "organization": "c.organization_id",
    "plan": "organization.plan_id",
}
_Rows = list[tuple[Any, ...]]


def tables(selection: Selection, user: User) -> list[Table]:
    """Ratings given in the period, of what this agent may see."""
    found, given = narrowed(selection, _FILTERS)
    where = " AND ".join([condition(user, "c.team_id"), condition(user, "rating.team_id"), *found])
    with connection.cursor() as cursor:
        cursor.execute(_GROUPED.format(where=where), {**given, "user": user.pk or 0})
        grouped: dict[str, _Rows] = {scope: [] for scope in _SCOPES.values()}
        for bits, score, team, agent, channel, *figures in cursor.fetchall():
            scope = _SCOPES[bits]
            key = {"score": score, "team": team, "agent": agent, "channel": channel}[scope]
            grouped[scope].append((key, *figures))
        cursor.execute(_TOPICS.format(where=where), {**given, "user": user.pk or 0})
        topics = cursor.fetchall()
    channels = [(channel_name(channel), *figures) for channel, *figures in grouped["channel"]]
    teams: dict[Any, str] = {**dict(Team.objects.values_list("pk", "name")), None: _("No team")}
    agents: dict[Any, str] = {**dict(User.objects.values_list("pk", "name")), None: _("Nobody")}
    return [
        _scores(grouped["score"]),
        _table("satisfaction_teams", _("Satisfaction by team"), _("Team"), _named(grouped["team"], teams)),
        _table("satisfaction_agents", _("Satisfaction by agent"), _("Agent"), _named(grouped["agent"], agents)),
        _table("satisfaction_channels", _("Satisfaction by channel"), _("Channel"), channels),
        _table("satisfaction_topics", _("Satisfaction by topic"), _("Tag"), topics),
    ]


def _named(rows: _Rows, names: dict[Any, str]) -> _Rows:
    return [(names.get(key) or _("Deleted (%s)") % key, *figures) for key, *figures in rows]


def _scores(rows: _Rows) -> Table:
    counts = {row[0]: row[1] for row in rows}
    total = sum(counts.values())
    lines: list[list[Any]] = [
        [f"{score} · {word}", counts.get(score, 0), counts.get(score, 0) / total if total else None]
        for score, word in WORDS.items()
    ]
    columns = [
        Column("score", _("Rating"), "text"),
        Column("count", _("Ratings")),
        Column("share", _("Share"), "share"),
    ]
    return Table("satisfaction", _("Satisfaction"), columns, lines if total else [])


def _table(key: str, title: str, named: str, rows: Sequence[Sequence[Any]]) -> Table:
    lines = [[str(name), count, good / count, round(average, 2), low] for name, count, average, good, low in rows]
    lines.sort(key=lambda line: (-line[1], line[0]))
    columns = [
        Column("name", named, "text"),
        Column("count", _("Ratings")),
        Column("good", _("Good or better"), "share", _("CSAT: 4 and 5 of all ratings")),
        Column("average", _("Average")),
        Column("low", _("Low")),
    ]
    return Table(key, title, columns, lines)
