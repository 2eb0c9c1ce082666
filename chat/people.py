"""Who may be on a socket, and what they may see: asked when one opens, and again whenever something changes."""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.sessions.models import Session
from django.utils import timezone

from helpdesk.customers.models import Team, User
from helpdesk.people import sessions
from helpdesk.prepared import Prepared

_RIGHTS = Prepared(
    "rights_of_agents",
    f"""
SELECT agent.id, agent.role, agent.name, agent.timezone,
       array(SELECT team_id FROM {User.teams.through._meta.db_table} WHERE user_id = agent.id ORDER BY team_id),
       array(SELECT id FROM {Team._meta.db_table} WHERE is_private ORDER BY id)
FROM {User._meta.db_table} AS agent WHERE agent.id = ANY(%s::bigint[]) AND agent.is_active
""",
)
_OPEN = Prepared(
    "open_sessions",
    f"SELECT session_key FROM {Session._meta.db_table} WHERE session_key = ANY(%s::varchar[]) AND expire_date > %s",
)

Rights = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An agent who has just come, by which session, and with what rights."""

    user: User
    session: str
    rights: Rights


def arrive(session_key: str) -> Arrival | None:
    """The agent behind a session; None where there is none, or they may not enter the desk."""
    user = sessions.agent_behind(session_key) if session_key else None
    found = rights([user.pk]) if user is not None else {}
    return Arrival(user, session_key, found[user.pk]) if user is not None and user.pk in found else None


def rights(user_ids: Collection[int]) -> dict[int, Rights]:
    """What decides on what each agent sees and how, to be compared; without those who are no longer active."""
    return {row[0]: (*row[1:4], tuple(row[4]), tuple(row[5])) for row in _RIGHTS.rows([list(user_ids)])}


def open_sessions(keys: Collection[str]) -> set[str]:
    """Those of these sessions that have neither ended nor expired."""
    return {row[0] for row in _OPEN.rows([list(keys), timezone.now()])}
