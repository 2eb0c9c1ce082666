"""The wallboard: how things stand right now, in numbers that are read across a room; and the links that show it.

Nobody's words are on it, customers' least of all: a television hangs where visitors pass.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Min, Q

from helpdesk.conversations.models import Conversation
from helpdesk.customers import visibility
from helpdesk.customers.actions import digest
from helpdesk.customers.models import Team, User
from helpdesk.oncall import rotas
from helpdesk.oncall.models import Page, Schedule
from helpdesk.oncall.visibility import visible_pages
from helpdesk.sla.models import Clock, Target
from tickets.reports import reading, selection
from tickets.reports.models import Measure, WallboardLink
from tickets.reports.reading import PROMISED, Times
from tickets.reports.selection import Selection
from tickets.reports.tables import open_now

COUNTED_TO: Final = 1_000
# A television asks every 15 seconds.
NOTED_EVERY: Final = timedelta(minutes=1)
MOST_AGENTS, MOST_SCHEDULES, MOST_PAGES = 10, 4, 4
_WAITING = f"""
SELECT count(*) FROM (SELECT FROM {Conversation._meta.db_table}
    WHERE status IN ('new', 'open') AND assignee_id IS NULL AND {{visible}} LIMIT {COUNTED_TO}) AS found
"""
# The deadlines to come are few and in order; what is assigned has no open clock of dispatch.
_OLDEST = f"""
SELECT clock.due_at, clock.warn_at, clock.conversation_id FROM (
    SELECT id FROM {Conversation._meta.db_table}
    WHERE status IN ('new', 'open') AND assignee_id IS NULL AND {{visible}}
    ORDER BY next_due_at NULLS LAST, id LIMIT 200) AS next
JOIN {Clock._meta.db_table} clock ON clock.conversation_id = next.id
WHERE clock.target = '{Target.DISPATCH}' AND clock.met_at IS NULL AND clock.cancelled_at IS NULL
  AND clock.due_at IS NOT NULL
ORDER BY clock.due_at LIMIT 1
"""
_AT_RISK = f"""
SELECT count(DISTINCT id) FROM (SELECT conversation.id FROM {Clock._meta.db_table} clock
    JOIN {Conversation._meta.db_table} conversation ON conversation.id = clock.conversation_id
    WHERE clock.warned_at IS NOT NULL AND clock.due_at > %(at)s AND clock.met_at IS NULL AND clock.cancelled_at IS NULL
      AND conversation.status NOT IN ('resolved', 'closed') AND {{visible}} LIMIT {COUNTED_TO}) AS found
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What nobody has taken: how many, and the earliest deadline to take one; `conversation` is that one's number."""

    count: int
    due_at: datetime | None = None
    warn_at: datetime | None = None
    conversation: int | None = None


@dataclass(frozen=True, slots=True)
class OnCall:
    schedule: str
    person: str


@dataclass(frozen=True, slots=True)
class OpenPages:
    """Calls nobody has ended: how many, how many of them nobody has acknowledged, since when the oldest of those."""

    count: int
    unacknowledged: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Load:
    name: str
    pk: int
    open: int
    handled: int
    replies: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose numbers: of what an agent may see, or of one of these teams alone."""

    user: User
    team: Team | None = None

    def where(self, column: str) -> str:
        """SQL over the team in `column`; it asks for what is `given`."""
        visible = visibility.condition(self.user, column)
        return f"({visible} AND {column} = %(team)s)" if self.team else visible

    @property
    def given(self) -> dict[str, Any]:
        return {"user": self.user.pk or 0, "team": self.team.pk if self.team else None}


@dataclass(frozen=True, slots=True)
class Board:
    """Numbers up to COUNTED_TO are exact; `broken`, `kept` and `first_response` are of the office's day. `team` is the
    name of the one team it is about, empty where it is about all.
    """

    at: datetime
    team: str
    waiting: Waiting
    at_risk: int
    broken: int
    kept: float | None
    first_response: Times
    new: int
    resolved: int
    on_call: list[OnCall]
    pages: OpenPages
    agents: list[Load]


def stranger() -> User:
    """Who looks at a television: a viewer who is in no team, so that private teams stay private."""
    return User(pk=0, role=User.Role.VIEWER)


def board(user: User, at: datetime, team: Team | None = None) -> Board:
    """Everything on the wallboard, as far as this agent may see it; of one team where it is given."""
    scope, day = Scope(user, team), selection.today(at)
    today = Selection("today", day, day, team=team.pk if team else None)
    numbers = reading.numbers(today, user, only_totals=True)
    broken = sum(numbers.broken.get(("total", None, measure), 0) for measure in PROMISED)
    return Board(
        at=at,
        team=team.name if team else "",
        waiting=_waiting(scope),
        at_risk=_number(_AT_RISK, scope, "conversation.team_id", at=at),
        broken=broken,
        kept=numbers.share(PROMISED),
        first_response=numbers.time(Measure.FIRST_RESPONSE),
        new=numbers.count(Measure.OPENED),
        resolved=numbers.count(Measure.RESOLUTION),
        on_call=[OnCall(one.name, rotas.on_call(one.pk, at).name) for one in Schedule.objects.all()[:MOST_SCHEDULES]],
        pages=_pages(scope),
        agents=_agents(today, scope),
    )


def _number(sql: str, scope: Scope, column: str, **given: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(visible=scope.where(column)), {**scope.given, **given})
        return int(cursor.fetchone()[0])


def _waiting(scope: Scope) -> Waiting:
    count = _number(_WAITING, scope, "team_id")
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST.format(visible=scope.where("team_id")), scope.given)
        found = cursor.fetchone()
    return Waiting(count, *found) if found else Waiting(count)


def _pages(scope: Scope) -> OpenPages:
    open_ones = Q(state__in=(Page.State.TRIGGERED, Page.State.ACKNOWLEDGED))
    ringing = Q(state=Page.State.TRIGGERED)
    visible = visible_pages(scope.user).filter(open_ones)
    if scope.team:
        visible = visible.filter(conversation__team=scope.team)
    found = visible.aggregate(
        every=Count("pk"), ringing=Count("pk", filter=ringing), oldest=Min("triggered_at", filter=ringing)
    )
    return OpenPages(found["every"], found["ringing"], found["oldest"])


def _agents(today: Selection, scope: Scope) -> list[Load]:
    """Those with most to do first; of a team its members, with all they have."""
    _week, done = reading.hours_and_agents(today, scope.user)
    active = User.objects.filter(is_active=True).exclude(role=User.Role.VIEWER)
    if scope.team:
        active = active.filter(teams=scope.team)
    names: dict[int, str] = dict(active.values_list("pk", "name"))
    opened = open_now(names, scope.user)
    nothing = reading.AgentNumbers()
    loads = [
        Load(name, pk, opened.get(pk, 0), done.get(pk, nothing).handled, done.get(pk, nothing).replies)
        for pk, name in names.items()
    ]
    loads.sort(key=lambda load: (-load.open, -load.handled, load.name))
    return loads[:MOST_AGENTS]


def make_link(name: str, user: User, *, at: datetime, team: Team | None = None) -> tuple[WallboardLink, str]:
    """A new link for a television, of one team or of all that is not private; and its token, shown this once."""
    token = secrets.token_urlsafe(32)
    link = WallboardLink.objects.create(name=name[:80], digest=digest(token), created_by=user, created_at=at, team=team)
    return link, token


def revoke_link(pk: int, *, at: datetime) -> bool:
    """End a link at once; whether there was one to end."""
    return bool(WallboardLink.objects.filter(pk=pk, revoked_at=None).update(revoked_at=at))


def opened(token: str, *, at: datetime) -> WallboardLink | None:
    """The link behind a token, None where it was revoked, who made it has left, or its team is private by now. That it
    was used is noted once in NOTED_EVERY.
    """
    links = WallboardLink.objects.filter(digest=digest(token), revoked_at=None, created_by__is_active=True)
    link = links.select_related("team").first()
    if link is None or (link.team and link.team.is_private):
        return None
    if link.used_at is None or at - link.used_at >= NOTED_EVERY:
        WallboardLink.objects.filter(pk=link.pk).update(used_at=at)
    return link


def since(board: Board) -> timedelta | None:
    """How long the oldest page that nobody has acknowledged has been ringing."""
    return board.at - board.pages.oldest_at if board.pages.oldest_at else None
