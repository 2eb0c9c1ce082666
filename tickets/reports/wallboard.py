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
from helpdesk.customers.models import User
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
class Board:
    """Numbers up to COUNTED_TO are exact; `broken`, `kept` and `first_response` are of the office's day."""

    at: datetime
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


def board(user: User, at: datetime) -> Board:
    """Everything on the wallboard, as far as this agent may see it."""
    day = selection.today(at)
    today = Selection("today", day, day)
    numbers = reading.numbers(today, user, only_totals=True)
    broken = sum(numbers.broken.get(("total", None, measure), 0) for measure in PROMISED)
    return Board(
        at=at,
        waiting=_waiting(user),
        at_risk=_number(_AT_RISK, user, "conversation.team_id", at=at),
        broken=broken,
        kept=numbers.share(PROMISED),
        first_response=numbers.time(Measure.FIRST_RESPONSE),
        new=numbers.count(Measure.OPENED),
        resolved=numbers.count(Measure.RESOLUTION),
        on_call=[OnCall(one.name, rotas.on_call(one.pk, at).name) for one in Schedule.objects.all()[:MOST_SCHEDULES]],
        pages=_pages(user),
        agents=_agents(today, user),
    )


def _number(sql: str, user: User, column: str, **given: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(visible=visibility.condition(user, column)), {"user": user.pk or 0, **given})
        return int(cursor.fetchone()[0])


def _waiting(user: User) -> Waiting:
    count = _number(_WAITING, user, "team_id")
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST.format(visible=visibility.condition(user, "team_id")), {"user": user.pk or 0})
        found = cursor.fetchone()
    return Waiting(count, *found) if found else Waiting(count)


def _pages(user: User) -> OpenPages:
    open_ones = Q(state__in=(Page.State.TRIGGERED, Page.State.ACKNOWLEDGED))
    ringing = Q(state=Page.State.TRIGGERED)
    visible = visible_pages(user).filter(open_ones)
    found = visible.aggregate(
        every=Count("pk"), ringing=Count("pk", filter=ringing), oldest=Min("triggered_at", filter=ringing)
    )
    return OpenPages(found["every"], found["ringing"], found["oldest"])


def _agents(today: Selection, user: User) -> list[Load]:
    """Those with most to do first."""
    _week, done = reading.hours_and_agents(today, user)
    active = User.objects.filter(is_active=True).exclude(role=User.Role.VIEWER)
    names: dict[int, str] = dict(active.values_list("pk", "name"))
    opened = open_now(names, user)
    nothing = reading.AgentNumbers()
    loads = [
        Load(name, pk, opened.get(pk, 0), done.get(pk, nothing).handled, done.get(pk, nothing).replies)
        for pk, name in names.items()
    ]
    loads.sort(key=lambda load: (-load.open, -load.handled, load.name))
    return loads[:MOST_AGENTS]


def make_link(name: str, user: User, *, at: datetime) -> str:
    """A new link for a television; its token, which is shown this once."""
    token = secrets.token_urlsafe(32)
    WallboardLink.objects.create(name=name[:80], digest=digest(token), created_by=user, created_at=at)
    return token


def revoke_link(pk: int, *, at: datetime) -> bool:
    """End a link at once; whether there was one to end."""
    return bool(WallboardLink.objects.filter(pk=pk, revoked_at=None).update(revoked_at=at))


def opens(token: str) -> bool:
    """Whether this token shows the wallboard: its link has not been revoked and who made it still works here."""
    links = WallboardLink.objects.filter(digest=digest(token), revoked_at=None, created_by__is_active=True)
    return links.exists()


def since(board: Board) -> timedelta | None:
    """How long the oldest page that nobody has acknowledged has been ringing."""
    return board.at - board.pages.oldest_at if board.pages.oldest_at else None
