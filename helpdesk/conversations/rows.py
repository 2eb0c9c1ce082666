"""Conversations as plain rows for the API: one statement a page, tags, services and clocks included."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from helpdesk.conversations import incidents
from helpdesk.conversations.models import Conversation, Tag
from helpdesk.customers.models import Service
from helpdesk.prepared import Prepared
from helpdesk.sla.models import Clock

_COLUMNS = (
    "id",
    "channel",
    "subject",
    "status",
    "priority",
    "team",
    "assignee",
    "opened_at",
    "updated_at",
    "resolved_at",
    "snoozed_until",
    "is_spam",
    "custom",
    "minutes_spent",
    "customer_id",
    "customer__name",
    "customer__email",
    "organization_id",
    "organization__name",
    "organization__plan__name",
)
_CLOCK_TIMES = ("started_at", "due_at", "paused_at", "met_at", "breached_at")


def conversation_rows() -> QuerySet[Conversation, dict[str, Any]]:
    """A queryset of plain rows, to be given to `shown`: `_COLUMNS`, `tag_names`, `service_names`, `clock_rows` and
    `incident`.
    """
    mine = {"conversation": OuterRef("pk")}
    # The newest clock of each target; what was cancelled is no promise any more.
    clocks = Clock.objects.filter(**mine, cancelled_at=None).order_by("target", "-pk").distinct("target")
    tags = Tag.objects.filter(conversations=OuterRef("pk")).order_by("name")
    services = Service.objects.filter(conversations=OuterRef("pk")).order_by("name")
    clock = JSONObject(target=F("target"), goal_seconds=F("goal_seconds"), **{name: F(name) for name in _CLOCK_TIMES})
    rows: QuerySet[Conversation, dict[str, Any]] = Conversation.objects.values(
        *_COLUMNS,
        tag_names=ArraySubquery(tags.values("name")),
        service_names=ArraySubquery(services.values("name")),
        clock_rows=ArraySubquery(clocks.values(row=clock)),
        incident=incidents.of_row(),
    )
    return rows


def conversation_row(conversation_id: int) -> dict[str, Any] | None:
    """The row of one conversation, by a statement written once: that takes the ORM longer than the database takes."""
    statement, params = _one()
    row = statement.mapping([*params, conversation_id])
    if row is None:
        return None
    row["clock_rows"] = [json.loads(clock) for clock in row["clock_rows"]]
    return row


@lru_cache(maxsize=1)
def _one() -> tuple[Prepared, tuple[Any, ...]]:
    sql, params = conversation_rows().filter(pk=0).query.sql_with_params()
    assert params[-1] == 0, "the id is the last thing asked for"
    return Prepared("conversation_row", sql), params[:-1]


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """One conversation as the contract has it."""
    return {
        "id": row["id"],
        "number": row["id"],
        "channel": row["channel"],
        "subject": row["subject"],
        "status": row["status"],
        "priority": row["priority"],
        "team": row["team"],
        "assignee": row["assignee"],
        "customer": {"id": row["customer_id"], "name": row["customer__name"], "email": row["customer__email"]},
        "organization": _organization(row),
        "services": row["service_names"],
        "tags": row["tag_names"],
        "opened_at": row["opened_at"],
        "updated_at": row["updated_at"],
        "resolved_at": row["resolved_at"],
        "snoozed_until": row["snoozed_until"],
        "is_spam": row["is_spam"],
        "custom": json.loads(row["custom"]) if isinstance(row["custom"], str) else row["custom"],
        "minutes_spent": row["minutes_spent"],
        "clocks": [_clock(clock) for clock in row["clock_rows"]],
        "incident": row["incident"],
        "url": desk_url(row["id"]),
    }


def desk_url(conversation_id: int) -> str:
    """Where agents find it: an address that stays."""
    return f"{settings.PUBLIC_URL}/desk/conversations/{conversation_id}/"


def _organization(row: dict[str, Any]) -> dict[str, Any] | None:
    if row["organization_id"] is None:
        return None
    return {"id": row["organization_id"], "name": row["organization__name"], "plan": row["organization__plan__name"]}


def _clock(row: dict[str, Any]) -> dict[str, Any]:
    times = {name: datetime.fromisoformat(row[name]) if row[name] else None for name in _CLOCK_TIMES}
    return {"target": row["target"], "goal_minutes": minutes(row["goal_seconds"]), **times}


def minutes(seconds: int) -> int | float:
    whole, rest = divmod(seconds, 60)
    return seconds / 60 if rest else whole
