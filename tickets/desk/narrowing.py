"""What a list is narrowed by: said in words, each with the address without it, and the form that asks for more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from helpdesk.conversations import incidents
from helpdesk.conversations.models import Priority, Status
from helpdesk.conversations.visibility import visible_teams
from helpdesk.customers.agents import offered
from helpdesk.customers.models import Customer, Organization, Service, Team, User
from tickets.desk import inbox, wording

MOST_SERVICES = 200
# The channels to choose from are those that have a name.
_FLAGS = ("mentioned", "at_risk", "snoozed", "spam")
_KINDS = ("status", "priority", "channel")
_THINGS: Mapping[str, Any] = {"customer": Customer, "organization": Organization, "service": Service, "team": Team}


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in words, and the query of the list without it."""

    label: str
    value: str
    query: str


def chips(view: inbox.View) -> list[Chip]:
    """The filters beside a view's own. One statement for each that names a row, none without."""
    found = []
    for key, value in view.extra.items():
        rest = {name: kept for name, kept in view.extra.items() if name != key}
        found.append(Chip(_label(key), _value(key, value), urlencode({"view": view.key, **rest}, doseq=True)))
    return found


def words(filters: Mapping[str, Any]) -> str:
    """A saved view's filters in words. One statement for each that names a row."""
    return " · ".join(
        f"{_label(key)}: {_value(key, value)}" if key not in _FLAGS else _label(key) for key, value in filters.items()
    )


def _label(key: str) -> str:
    return {
        "mentioned": _("Mentions you"),
        "at_risk": _("At risk"),
        "snoozed": _("Snoozed"),
        "spam": _("Spam"),
        "custom": _("Fields"),
        "status": _("Status"),
        "priority": _("Priority"),
        "channel": _("Channel"),
        "assignee": _("Assignee"),
        "team": _("Team"),
        "service": _("Service"),
        "incident": _("Incident"),
        "tag": _("Tag"),
        "customer": _("Customer"),
        "organization": _("Company"),
    }[key]


def _value(key: str, value: Any) -> str:
    if key in _KINDS:
        labels = wording.labels(get_language())[key]
        return ", ".join(labels[code] for code in value)
    if key == "custom":
        return ", ".join(f"{name} = {wanted}" for name, wanted in value.items())
    if key == "tag":
        return ", ".join(value)
    if key == "incident":
        return incidents.name_of(value) or value
    if value in ("me", "mine", "none"):
        return {"me": _("You"), "mine": _("My teams"), "none": _("Nobody")}[value]
    model = User if key == "assignee" else _THINGS[key]
    row = model._default_manager.filter(pk=value).first()
    return str(row) if row else f"#{value}"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers; `services` are all there are, or none where there are more than MOST_SERVICES: then one is
    asked for by name.
    """

    agents: list[tuple[int, str]]
    teams: list[tuple[int, str]]
    services: list[tuple[int, str]]
    channels: list[str]
    priorities: list[str]
    statuses: list[str]
    has_many_services: bool = False
    are_agents_many: bool = False


def service_name(view: inbox.View) -> str:
    """The service that a list is narrowed to, by name; "" for none."""
    pk = view.extra.get("service")
    return (Service.objects.filter(pk=pk).values_list("name", flat=True).first() or "") if pk else ""


def choices(user: User, *, assignee: object = None) -> Choices:
    """Three statements, four where there are too many agents to list: then `assignee` alone is."""
    people = offered(assignee if isinstance(assignee, int) else None)
    services = list(Service.objects.order_by("name").values_list("pk", "name")[: MOST_SERVICES + 1])
    has_many = len(services) > MOST_SERVICES
    channels = [code for code in wording.labels(get_language())["channel"] if code != "api"]
    return Choices(
        agents=people.agents,
        are_agents_many=people.are_many,
        teams=list(visible_teams(user).values_list("pk", "name")),
        services=[] if has_many else services,
        has_many_services=has_many,
        channels=channels,
        priorities=list(Priority.values),
        statuses=list(Status.values),
    )
