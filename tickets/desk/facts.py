"""What stands beside a thread: customer, plan, services, clocks, pages, earlier conversations, and whom to choose."""

import json
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from django.utils import timezone

from helpdesk.customers.agents import MOST_LISTED
from helpdesk.customers.entitlements import Realtime, realtime
from helpdesk.customers.models import Plan, User
from helpdesk.numbers import LARGEST_ID
from tickets.desk.facts_sql import CHOICES, MOST_SERVICES, OF_ADMIN, OF_AGENT
from tickets.zones import known_zone

_CLOCKS = ("dispatch", "first_response", "next_response", "resolution")
_TIMES = (
    "due_at",
    "warn_at",
    "paused_at",
    "met_at",
    "cancelled_at",
    "breached_at",
    "triggered_at",
    "done_at",
    "at",
    "updated_at",
)
_LISTS = (
    "services",
    "clocks",
    "pages",
    "earlier",
    "identities",
    "followers",
    "links",
    "checklist",
    "times",
    "drafts",
    "fields",
    "blocked",
)
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Choices:
    """Agents, teams and services to choose from, and the names of all that events speak of."""

    agents: list[tuple[int, str]]
    teams: list[tuple[int, str]]
    services: list[tuple[int, str]]
    names: dict[tuple[str, int], str]
    # Then only who has it is listed, and another one is asked for by name.
    are_agents_many: bool = False

    @property
    def has_more_services(self) -> bool:
        """Whether there are more of them than are listed."""
        return len(self.services) >= MOST_SERVICES


def find(pk: int, user: User) -> Facts | None:
    """All that is said of one conversation, None where there is none for this agent. One statement.

    The keys are the columns of `facts_sql.FACTS`; those of `_LISTS` are lists of dictionaries, `clocks` the latest of
    each target, `drafts` with the text of this agent's own alone.
    """
    if pk > LARGEST_ID:
        return None
    found = (OF_ADMIN if user.is_admin else OF_AGENT).mapping({"id": pk, "user": user.pk})
    if found is None:
        return None
    for name in _LISTS:
        found[name] = [_timed(row) for row in found[name] or ()]
    found["custom"] = json.loads(found["custom"])
    found["clocks"].sort(key=lambda clock: _CLOCKS.index(clock["target"]))
    found["own_draft"] = next((draft for draft in found["drafts"] if draft["user_id"] == user.pk), None)
    return found


def _timed(row: dict[str, Any]) -> dict[str, Any]:
    for name in _TIMES:
        if row.get(name):
            row[name] = datetime.fromisoformat(row[name])
    return row


def choices(found: Facts) -> Choices:
    """One statement for the three lists."""
    has = found["assignee_id"]
    rows = CHOICES.rows([has, found["id"], found["organization_id"], found["id"]])
    rows.sort(key=lambda row: row[2].lower())
    people = [(key, name, here) for kind, key, name, here in rows if kind == "agent"]
    are_many = len(people) > MOST_LISTED
    return Choices(
        agents=[(key, name) for key, name, here in people if key == has or (here and not are_many)],
        are_agents_many=are_many,
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


def customers_zone(found: Facts) -> tzinfo | None:
    """Where the customer's clock is, None where nobody has said or the zone is unknown."""
    name: str = found["timezone"]
    zone = known_zone(name)
    return zone if zone.key == name else None
