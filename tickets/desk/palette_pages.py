"""What the palette finds by its name alone: pages of the desk and of the settings, canned replies, macros."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from helpdesk.customers.models import User
from helpdesk.customers.permissions import may_work
from tickets.desk import canned, kept
from tickets.desk.models import CannedReply, Macro

EACH: Final = 5
# Two letters are in every name.
SHORTEST: Final = 2
_PAGES: Final = (
    ("tickets:begin", "square-pen", _("New conversation")),
    ("tickets:reports", "chart-column", _("Reports")),
    ("tickets:wallboard", "monitor", _("Wallboard")),
    ("chat:chats", "message-square", _("Chats")),
    ("knowledge:kb", "book-open", _("Knowledge base")),
    ("tickets:pages", "bell-ring", _("Pages")),
    ("tickets:on_call", "calendar-clock", _("On call")),
    ("tickets:ledger", "mail", _("Mail ledger")),
    ("tickets:settings", "settings", _("Settings")),
    ("tickets:notifications", "bell", _("Notifications")),
    ("mfa_index", "shield-check", _("Login and security")),
    ("usersessions_list", "monitor", _("Sessions")),
    ("account_change_password", "key-round", _("Password")),
    ("knowledge:home", "globe", _("Front page for customers")),
)


@dataclass(frozen=True, slots=True)
class Place:
    """`about` stands beside the title."""

    address: str
    icon: str
    title: str
    about: str = ""


def matches(typed: str, title: str) -> bool:
    """Whether every typed word begins a word of the title."""
    words = typed.lower().split()
    return bool(words) and all(any(part.startswith(word) for part in title.lower().split()) for word in words)


def pages(typed: str, settings: Iterable[tuple[str, str, str | Promise, str | Promise]]) -> list[Place]:
    """Pages by title. `settings`: address, icon, title and what it is about, of those this agent may open."""
    found = [Place(reverse(name), icon, str(title)) for name, icon, title in _PAGES if matches(typed, str(title))]
    known = {place.title for place in found}
    for address, icon, title, about in settings:
        if matches(typed, str(title)) and str(title) not in known:
            found.append(Place(address, icon, str(title), str(about)))
    return found[:EACH]


def canned_replies(typed: str, user: User) -> list[CannedReply]:
    if len(typed.strip()) < SHORTEST or not may_work(user):
        return []
    return list(canned.found(user, typed.removeprefix("/"))[:EACH])


def macros(typed: str, user: User) -> list[Macro]:
    if len(typed.strip()) < SHORTEST or not may_work(user):
        return []
    named = Q(name__icontains=typed.strip()[:80])
    return list(kept.seen_by(user, Macro).filter(named).order_by("-uses", "name", "pk")[:EACH])
