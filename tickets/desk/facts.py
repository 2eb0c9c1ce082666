"""What stands beside a thread: customer, plan, services, clocks, pages, earlier conversations, and whom to choose."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from helpdesk.conversations import visibility
from helpdesk.conversations.models import Conversation, Tag
from helpdesk.customers.entitlements import Realtime, realtime
from helpdesk.customers.models import Customer, Organization, Plan, Service, Team, User
from helpdesk.oncall.models import Page
from helpdesk.sla.models import Calendar, Clock

EARLIER = 5
MOST_PAGES = 10
MOST_SERVICES = 200
_CLOCKS = ("dispatch", "first_response", "next_response", "resolution")
_TIMES = ("due_at", "warn_at", "paused_at", "met_at", "cancelled_at", "breached_at", "triggered_at")
_TABLE = Conversation._meta.db_table
# One statement, written out: building it from expressions took longer than running it, and eight took longer than one.
_FACTS = f"""
SELECT c.id, c.subject, c.channel, c.status, c.priority, c.team_id, c.assignee_id, c.customer_id, c.organization_id,
    c.last_seq, c.merged_into_id, c.previous_id, assignee.name AS assignee,
    coalesce(nullif(customer.name, ''), nullif(customer.email, ''), '#' || customer.id) AS customer, customer.email,
    customer.timezone, customer.notes,
    organization.name AS organization, organization.notes AS organization_notes, organization.customer_since,
    plan.name AS plan, plan.realtime, plan.realtime_days, plan.realtime_channels, hours.name AS hours,
    coalesce((SELECT array_agg(tag.name ORDER BY tag.name) FROM {Conversation.tags.through._meta.db_table} AS has
        JOIN {Tag._meta.db_table} AS tag ON tag.id = has.tag_id WHERE has.conversation_id = c.id), '{{{{}}}}') AS tags,
    (SELECT json_agg(found) FROM (
        SELECT service.id, service.name, service.kind FROM {Conversation.services.through._meta.db_table} AS has
        JOIN {Service._meta.db_table} AS service ON service.id = has.service_id
        WHERE has.conversation_id = c.id ORDER BY service.name) AS found) AS services,
    (SELECT json_agg(found) FROM (
        SELECT DISTINCT ON (target) id, target, goal_seconds, due_at, warn_at, paused_at, met_at, cancelled_at,
            breached_at
        FROM {Clock._meta.db_table} WHERE conversation_id = c.id ORDER BY target, id DESC) AS found) AS clocks,
    (SELECT json_agg(found) FROM (
        SELECT page.id, state, urgency, reasons, triggered_at, person.name AS acknowledged_by
        FROM {Page._meta.db_table} AS page LEFT JOIN {User._meta.db_table} AS person ON person.id = acknowledged_by_id
        WHERE conversation_id = c.id ORDER BY triggered_at DESC, page.id DESC LIMIT {MOST_PAGES}) AS found) AS pages,
    (SELECT json_agg(found) FROM (
        SELECT id, subject, status FROM {_TABLE} WHERE customer_id = c.customer_id AND id <> c.id
        ORDER BY updated_at DESC LIMIT {EARLIER}) AS found) AS earlier
FROM {_TABLE} AS c
JOIN {Customer._meta.db_table} AS customer ON customer.id = c.customer_id
LEFT JOIN {User._meta.db_table} AS assignee ON assignee.id = c.assignee_id
LEFT JOIN {Organization._meta.db_table} AS organization ON organization.id = c.organization_id
LEFT JOIN {Plan._meta.db_table} AS plan ON plan.id = organization.plan_id
LEFT JOIN {Calendar._meta.db_table} AS hours ON hours.id = plan.support_hours_id
WHERE c.id = %(id)s AND {{visible}}
"""
_CHOICES = f"""
SELECT 'agent', id, name, is_active FROM {User._meta.db_table}
UNION ALL SELECT 'team', id, name, true FROM {Team._meta.db_table}
UNION ALL (SELECT 'service', id, name, true FROM {Service._meta.db_table}
    WHERE id IN (SELECT service_id FROM {Conversation.services.through._meta.db_table} WHERE conversation_id = %s
                 UNION SELECT service_id FROM {Service.organizations.through._meta.db_table} WHERE organization_id = %s)
    ORDER BY name LIMIT {MOST_SERVICES})
"""
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Choices:
    """Agents, teams and services to choose from, and the names of all that events speak of."""

    agents: list[tuple[int, str]]
    teams: list[tuple[int, str]]
    services: list[tuple[int, str]]
    names: dict[tuple[str, int], str]


def find(pk: int, user: User) -> Facts | None:
    """All that is said of one conversation, None where there is none for this agent. One statement.

    The keys are `_FACTS`' columns; `services`, `clocks` (the latest of each target), `pages` and `earlier` are lists
    of dictionaries.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FACTS.format(visible=visibility.condition(user, "c.team_id")), {"id": pk, "user": user.pk})
        values = cursor.fetchone()
        names = [column.name for column in cursor.description]
    if values is None:
        return None
    found = dict(zip(names, values, strict=True))
    for name in ("services", "clocks", "pages", "earlier"):
        found[name] = [_timed(row) for row in found[name] or ()]
    found["clocks"].sort(key=lambda clock: _CLOCKS.index(clock["target"]))
    return found


def _timed(row: dict[str, Any]) -> dict[str, Any]:
    for name in _TIMES:
        if row.get(name):
            row[name] = datetime.fromisoformat(row[name])
    return row


def choices(found: Facts) -> Choices:
    """One statement for the three lists."""
    with connection.cursor() as cursor:
        cursor.execute(_CHOICES, [found["id"], found["organization_id"]])
        rows = sorted(cursor.fetchall(), key=lambda row: row[2].lower())
    return Choices(
        agents=[(k, n) for kind, k, n, here in rows if kind == "agent" and (here or k == found["assignee_id"])],
        teams=[(k, n) for kind, k, n, _ in rows if kind == "team"],
        services=[(k, n) for kind, k, n, _ in rows if kind == "service"],
        names={(kind, key): name for kind, key, name, _ in rows},
    )


def entitlement(found: Facts, at: datetime) -> Realtime | None:
    """The real-time support of the customer's company today, None for a customer without one."""
    if found["organization_id"] is None:
        return None
    plan = Plan(
        realtime=found["realtime"], realtime_days=found["realtime_days"], realtime_channels=found["realtime_channels"]
    )
    since: date = found["customer_since"]
    return realtime(plan, since, timezone.localdate(at))
