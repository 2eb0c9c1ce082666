"""An agent's sessions: seen, ended, and asked for by what outlives a request, such as a socket."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpRequest

from helpdesk.customers.models import User
from helpdesk.customers.permissions import is_agent
from helpdesk.people.second_factor import MISSING

# The default cache's table, as the settings name it.
COUNTS: Final = "cached_counts"
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
# In this order: most browsers name those they descend from as well.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as its agent sees it."""

    pk: int
    browser: str
    ip: str
    since: datetime
    is_current: bool


def sessions_of(agent: User, current_key: str | None) -> list[Shown]:
    """Sessions that still open the desk, the current one first, then the newest."""
    rows: list[Any] = UserSession.objects.purge_and_list(agent)
    shown = [
        Shown(row.pk, browser(row.user_agent), row.ip, row.created_at, row.session_key == current_key) for row in rows
    ]
    return sorted(shown, key=lambda one: (not one.is_current, -one.since.timestamp()))


def end(agent: User, pk: int) -> bool:
    """End one of the agent's own sessions; False where it is none of theirs."""
    return _end(UserSession.objects.filter(user=agent, pk=pk)) > 0


def end_others(agent: User, current_key: str | None) -> int:
    """End all but the current session; how many there were."""
    return _end(UserSession.objects.filter(user=agent).exclude(session_key=current_key or ""))


def end_all(agent: User) -> int:
    """Show the agent out everywhere; how many sessions there were."""
    return _end(UserSession.objects.filter(user=agent))


def _end(rows: Iterable[Any]) -> int:
    count = 0
    for row in rows:
        row.end()
        count += 1
    return count


def agent_behind(session_key: str | None) -> User | None:
    """The agent whose session this is, looked up anew; None once it has ended, expired or lost its right to the desk.

    For what was let in once and stays open: two statements, by primary keys.
    """
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not is_agent(user) or request.session.get(MISSING):
        return None
    assert isinstance(user, User), "agents are users"
    return user


def forget_expired(*, at: datetime) -> None:
    """Drop sessions that ended by themselves, and counts of logins that no longer count."""
    Session.objects.filter(expire_date__lt=at).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {COUNTS} WHERE expires < %s", [at])


def browser(user_agent: str) -> str:
    """A browser's name for people: “Firefox, Linux”. Empty where it did not say."""
    names = (_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent))
    return ", ".join(filter(None, names)) or user_agent[:60]


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in names if mark in text), "")
