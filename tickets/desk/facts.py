"""What stands beside a thread: customer, plan, services, clocks, pages, earlier conversations, and who may be chosen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, CharField, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import JSONObject
from django.utils import timezone

from helpdesk.conversations.models import Conversation, Tag
from helpdesk.customers.entitlements import Realtime, realtime
from helpdesk.customers.models import Service, Team, User
from helpdesk.oncall.models import Page
from helpdesk.sla.models import Clock

EARLIER = 5
MOST_PAGES = 10
MOST_SERVICES = 200
_ORDER = {"dispatch": 0, "first_response": 1, "next_response": 2, "resolution": 3}


@dataclass(frozen=True, slots=True)
class Choices:
    """Agents, teams and services to choose from, and the names of all that events speak of."""

    agents: list[tuple[int, str]]
    teams: list[tuple[int, str]]
    services: list[tuple[int, str]]
    names: dict[tuple[str, int], str]


def find(pk: int) -> Conversation | None:
    """The conversation with all that is said of it in one row. One statement.

    `tag_names` is a list, `service_rows` a list of {id, name, kind}.
    """
    tags = Tag.objects.filter(conversations=OuterRef("pk")).order_by("name").values("name")
    services = Service.objects.filter(conversations=OuterRef("pk")).order_by("name")
    rows = services.values(row=JSONObject(id="id", name="name", kind="kind"))
    found: QuerySet[Conversation] = Conversation.objects.select_related(
        "customer", "organization__plan__support_hours", "assignee", "team"
    ).annotate(tag_names=ArraySubquery(tags), service_rows=ArraySubquery(rows))
    return found.defer("search").filter(pk=pk).first()


def choices(conversation: Conversation) -> Choices:
    """One statement for the three lists."""
    agents = _choice(User.objects.order_by(), "agent", F("is_active"))
    teams = _choice(Team.objects.order_by(), "team", Value(True))
    own = Q(conversations=conversation.pk) | Q(organizations=conversation.organization_id or 0)
    services = _choice(Service.objects.filter(own).order_by().distinct(), "service", Value(True))
    rows = list(agents.union(teams, services[:MOST_SERVICES], all=True))
    rows.sort(key=lambda row: row[2].lower())
    names = {(kind, key): name for kind, key, name, _active in rows}
    agent_rows = [(k, n) for kind, k, n, active in rows if kind == "agent" and (active or k == conversation.assignee_id)]
    return Choices(
        agents=agent_rows,
        teams=[(k, n) for kind, k, n, _ in rows if kind == "team"],
        services=[(k, n) for kind, k, n, _ in rows if kind == "service"],
        names=names,
    )


def _choice(rows: QuerySet[Any], kind: str, active: Any) -> QuerySet[Any, tuple[str, int, str, bool]]:
    annotated = rows.annotate(
        choice_kind=Value(kind, output_field=CharField()), choice_active=active if isinstance(active, F) else Value(True, output_field=BooleanField())
    )
    return annotated.values_list("choice_kind", "id", "name", "choice_active")


def clocks(conversation_id: int) -> list[Clock]:
    """The latest clock of each target. One statement."""
    latest = Clock.objects.filter(conversation_id=conversation_id).order_by("target", "-id").distinct("target")
    return sorted(latest, key=lambda clock: _ORDER.get(clock.target, 9))


def pages(conversation_id: int) -> list[Page]:
    """The newest pages. One statement."""
    found = Page.objects.filter(conversation_id=conversation_id).select_related("acknowledged_by")
    return list(found.order_by("-triggered_at", "-id")[:MOST_PAGES])


def earlier(conversation: Conversation) -> list[dict[str, Any]]:
    """The customer's other conversations, newest first. One statement."""
    others = Conversation.objects.filter(customer_id=conversation.customer_id).exclude(pk=conversation.pk)
    return list(others.order_by("-updated_at")[:EARLIER].values("id", "subject", "status", "opened_at"))


def entitlement(conversation: Conversation, at: datetime) -> Realtime | None:
    """The real-time support of the customer's company today, None for a customer without one."""
    organization = conversation.organization
    if organization is None:
        return None
    return realtime(organization.plan, organization.customer_since, timezone.localdate(at))
