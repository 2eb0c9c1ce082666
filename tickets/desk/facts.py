"""What stands beside a thread: customer, plan, services, clocks, pages, earlier conversations, and whom to choose."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef, QuerySet
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


_CHOICES = f"""
SELECT 'agent', id, name, is_active FROM {User._meta.db_table}
UNION ALL SELECT 'team', id, name, true FROM {Team._meta.db_table}
UNION ALL (SELECT 'service', id, name, true FROM {Service._meta.db_table}
    WHERE id IN (SELECT service_id FROM {Conversation.services.through._meta.db_table} WHERE conversation_id = %s
                 UNION SELECT service_id FROM {Service.organizations.through._meta.db_table} WHERE organization_id = %s)
    ORDER BY name LIMIT {MOST_SERVICES})
"""


def choices(conversation: Conversation) -> Choices:
    """One statement for the three lists."""
    with connection.cursor() as cursor:
        cursor.execute(_CHOICES, [conversation.pk, conversation.organization_id])
        rows = sorted(cursor.fetchall(), key=lambda row: row[2].lower())
    return Choices(
        agents=[(k, n) for kind, k, n, here in rows if kind == "agent" and (here or k == conversation.assignee_id)],
        teams=[(k, n) for kind, k, n, _ in rows if kind == "team"],
        services=[(k, n) for kind, k, n, _ in rows if kind == "service"],
        names={(kind, key): name for kind, key, name, _ in rows},
    )


def clocks(conversation_id: int) -> list[Clock]:
    """The latest clock of each target. One statement."""
    latest = Clock.objects.filter(conversation_id=conversation_id).order_by("target", "-id").distinct("target")
    return sorted(latest, key=lambda clock: _ORDER.get(clock.target, 9))


def pages(conversation_id: int) -> list[Page]:
    """The newest pages. One statement."""
    found = Page.objects.filter(conversation_id=conversation_id).select_related("acknowledged_by")
    return list(found.order_by("-triggered_at", "-id")[:MOST_PAGES])


def earlier(conversation: Conversation) -> list[Conversation]:
    """The customer's other conversations, newest first. One statement."""
    others = Conversation.objects.filter(customer_id=conversation.customer_id).exclude(pk=conversation.pk)
    return list(others.order_by("-updated_at").only("id", "subject", "status")[:EARLIER])


def entitlement(conversation: Conversation, at: datetime) -> Realtime | None:
    """The real-time support of the customer's company today, None for a customer without one."""
    organization = conversation.organization
    if organization is None:
        return None
    return realtime(organization.plan, organization.customer_since, timezone.localdate(at))
