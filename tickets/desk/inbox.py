"""The views of the inbox: those that everybody has, a team's, saved ones, and whatever filter an address states."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from helpdesk.customers import agents
from helpdesk.customers.models import Service, User
from helpdesk.numbers import is_number
from helpdesk.prepared import Prepared
from tickets.desk import filters
from tickets.desk.filters import ACTIVE, WORKED
from tickets.desk.models import SavedView

# Orders, with the column that each goes by.
DUE, NEWEST, WAKING = "due", "newest", "waking"
# The view that agents come in by.
FIRST: Final = "reply"


class UnknownView(LookupError):
    """There is no such view, or not for this agent."""


@dataclass(frozen=True, slots=True)
class View:
    """What to show: cleaned filters and an order. `query` is the address's query that leads here."""

    key: str
    title: str
    filters: Mapping[str, Any]
    order: str = DUE
    icon: str = "list"
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_standard(self) -> bool:
        """Whether it is one that everybody has, as it is."""
        return not self.extra and self.key in standard()

    @property
    def query(self) -> str:
        return urlencode({"view": self.key, **self.extra}, doseq=True)


def standard() -> dict[str, View]:
    """The views everybody has, in the order in which they are shown, in the reader's language."""
    return _standard(get_language())


@cache
def _standard(_language: str | None) -> dict[str, View]:
    every = [
        View(FIRST, _("Needs reply"), {"status": ACTIVE}, icon="inbox"),
        View("dispatch", _("To dispatch"), {"status": ACTIVE, "assignee": "none"}, icon="hand"),
        View("mine", _("Mine"), {"status": WORKED, "assignee": "me"}, icon="user"),
        View("unassigned", _("Unassigned"), {"status": WORKED, "assignee": "none"}, icon="users"),
        View("mentions", _("Mentions"), {"mentioned": True}, NEWEST, icon="at-sign"),
        View("risk", _("SLA at risk"), {"at_risk": True}, icon="triangle-alert"),
        View("snoozed", _("Snoozed"), {"status": WORKED, "snoozed": True}, WAKING, icon="clock"),
        View("pending", _("Pending"), {"status": ("on_hold", "pending")}, NEWEST, icon="circle-pause"),
        View("resolved", _("Resolved"), {"status": ("closed", "resolved")}, NEWEST, icon="archive"),
        View("all", _("All"), {}, NEWEST, icon="list"),
        View("spam", _("Spam"), {"status": ("closed", "resolved"), "spam": True}, NEWEST, icon="shield-alert"),
    ]
    return {view.key: view for view in every}


def find(given: Mapping[str, Any], user: User) -> View:
    """The view an address asks for: `view` is a standard one's key, `saved-ID` or `filter`.

    Filters beside it narrow it; `filter` alone has nothing but them, and shows what is open where they name no status.
    Raises UnknownView, BadFilter.
    """
    key = given.get("view", FIRST)
    narrowing = filters.cleaned({name: value for name, value in given.items() if name in NARROWING})
    if key == "filter":
        wanted = {"status": ACTIVE, **narrowing}
        order = DUE if set(wanted["status"]) <= set(ACTIVE) else NEWEST
        return View(key, _("Filtered"), wanted, order, "list-filter", narrowing)
    if key.startswith("saved-"):
        base = _saved(key.removeprefix("saved-"), user)
    else:
        views = standard()
        if key not in views:
            raise UnknownView(key)
        base = views[key]
    if not narrowing:
        return base
    return View(base.key, base.title, {**base.filters, **narrowing}, base.order, base.icon, narrowing)


def asked(query: QueryDict, user: User) -> View:
    """The view that an address's query asks for. Raises UnknownView, BadFilter."""
    given: dict[str, Any] = {}
    for name, values in query.lists():
        given[name] = [value for value in values if value] if name in filters.SEVERAL else values[-1]
    # A tag field holds several, separated by commas.
    if "tag" in given:
        given["tag"] = [tag for value in given["tag"] for tag in value.split(",")]
    if name := given.pop("service_name", ""):
        given["service"] = _service(name)
    if name := given.pop("assignee_name", ""):
        given["assignee"] = _agent(name)
    return find(given, user)


def _service(name: str) -> int:
    """By its name, or by the beginning of it. Raises BadFilter."""
    for way in ("iexact", "istartswith"):
        found = Service.objects.filter(**{f"name__{way}": name[:253].strip()}).order_by("name").first()
        if found is not None:
            return found.pk
    raise filters.BadFilter("there is no such service")


def _agent(name: str) -> int:
    """Raises BadFilter."""
    try:
        return agents.called(name).pk
    except agents.NoSuchAgent as error:
        raise filters.BadFilter("there is no such agent") from error


def saved_for(user: User) -> list[SavedView]:
    """The agent's own views, their teams' and everybody's, as they are kept. One statement."""
    mine = Q(owner=user) | Q(team__in=user.teams.all()) | Q(owner=None, team=None)
    return list(SavedView.objects.filter(mine).select_related("team"))


def saved(user: User) -> list[View]:
    """The same as views of the inbox. One statement."""
    return [
        View(f"saved-{pk}", name, json.loads(kept), NEWEST if newest_first else DUE, "list-filter")
        for pk, name, kept, newest_first in _SAVED.rows({"user": user.pk})
    ]


def _saved(number: str, user: User) -> View:
    if not is_number(number):
        raise UnknownView(number[:40])
    found = next((view for view in saved(user) if view.key == f"saved-{int(number)}"), None)
    if found is None:
        raise UnknownView(number)
    return found


# Read by every page of the desk: building it from expressions costs more than running it.
_SAVED: Final = Prepared(
    "saved_views",
    f"""
SELECT id, name, filters::text, newest_first FROM {SavedView._meta.db_table}
WHERE owner_id = %(user)s::bigint OR (owner_id IS NULL AND team_id IS NULL)
    OR team_id IN (SELECT team_id FROM {User.teams.through._meta.db_table} WHERE user_id = %(user)s::bigint)
ORDER BY position, name, id
""",
)
NARROWING = (
    *("team", "channel", "service", "tag", "priority", "customer", "organization", "status", "assignee"),
    "incident",
)
