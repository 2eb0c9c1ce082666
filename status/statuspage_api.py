"""The public API v2 of Atlassian Statuspage, as its clients read it. Fields, order and nulls are those of recorded
answers (https://metastatuspage.com/api); times are UTC with milliseconds.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from status.addresses import incident_url, page_url
from status.rollup import overall
from status.snapshot import RECENT, ShownComponent, ShownIncident, ShownUpdate, Snapshot

Document = dict[str, Any]


def document(name: str, shown: Snapshot) -> Document:
    """The document below `/api/v2/`, named without `.json`. Raises KeyError for one there is none of."""
    return {"page": _page(shown), **DOCUMENTS[name](shown)}


def _summary(shown: Snapshot) -> Document:
    unresolved = [one for one in shown.incidents if one.is_open]
    coming = [one for one in shown.maintenances if one.is_open]
    return {
        **_components(shown),
        "incidents": _incidents(shown, unresolved),
        "scheduled_maintenances": _incidents(shown, _by_begin(coming)),
        **_status(shown),
    }


def _status(shown: Snapshot) -> Document:
    indicator, description = overall([one.state for one in shown.components if not one.is_group])
    return {"status": {"indicator": indicator, "description": description}}


def _components(shown: Snapshot) -> Document:
    return {"components": [_component(shown, one) for one in shown.components]}


def _unresolved(shown: Snapshot) -> Document:
    return {"incidents": _incidents(shown, (one for one in shown.incidents if one.is_open))}


def _upcoming(shown: Snapshot) -> Document:
    coming = [one for one in shown.maintenances if one.status == "scheduled"]
    return {"scheduled_maintenances": _incidents(shown, _by_begin(coming))}


def _active(shown: Snapshot) -> Document:
    now = (one for one in shown.maintenances if one.status in ("in_progress", "verifying"))
    return {"scheduled_maintenances": _incidents(shown, now)}


DOCUMENTS: Final[Mapping[str, Callable[[Snapshot], Document]]] = {
    "summary": _summary,
    "status": _status,
    "components": _components,
    "incidents": lambda shown: {"incidents": _incidents(shown, shown.incidents[:RECENT])},
    "incidents/unresolved": _unresolved,
    "scheduled-maintenances": lambda shown: {"scheduled_maintenances": _incidents(shown, shown.maintenances[:RECENT])},
    "scheduled-maintenances/upcoming": _upcoming,
    "scheduled-maintenances/active": _active,
}


def _page(shown: Snapshot) -> Document:
    return {
        "id": shown.page_id,
        "name": shown.name,
        "url": page_url(),
        "time_zone": shown.timezone,
        "updated_at": _time(shown.changed_at),
    }


def _component(shown: Snapshot, one: ShownComponent) -> Document:
    told = {
        "id": one.id,
        "name": one.name,
        "status": shown.state_of(one),
        "created_at": _time(one.created_at),
        "updated_at": _time(one.updated_at),
        "position": one.position,
        "description": one.description or None,
        "showcase": one.shows_uptime,
        "start_date": one.started_on.isoformat(),
        "group_id": one.group_id,
        "page_id": shown.page_id,
        "group": one.is_group,
        "only_show_if_degraded": one.only_if_degraded,
    }
    if one.is_group:
        told["components"] = [child.id for child in shown.components if child.group_id == one.id]
    return told


def _incidents(shown: Snapshot, some: Iterable[ShownIncident]) -> list[Document]:
    return [_incident(shown, one) for one in some]


def _incident(shown: Snapshot, one: ShownIncident) -> Document:
    told = {
        "id": one.id,
        "name": one.name,
        "status": one.status,
        "created_at": _time(one.created_at),
        "updated_at": _time(one.changed_at),
        "monitoring_at": _time_or_none(one.monitoring_at),
        "resolved_at": _time_or_none(one.resolved_at),
        "impact": one.impact,
        "shortlink": incident_url(one.id),
        "started_at": _time(one.started_at),
        "page_id": shown.page_id,
        "incident_updates": [_update(one, update) for update in one.updates],
        "components": [_component(shown, shown.by_id[pk]) for pk in one.states if pk in shown.by_id],
    }
    if one.is_maintenance:
        told["scheduled_for"] = _time_or_none(one.scheduled_for)
        told["scheduled_until"] = _time_or_none(one.scheduled_until)
    return told


def _update(one: ShownIncident, update: ShownUpdate) -> Document:
    changes = [
        {"code": change.component_id, "name": change.name, "old_status": change.old, "new_status": change.new}
        for change in update.changes
    ]
    return {
        "id": update.id,
        "status": update.status,
        "body": update.body,
        "incident_id": one.id,
        "created_at": _time(update.created_at),
        "updated_at": _time(update.updated_at),
        "display_at": _time(update.display_at),
        "affected_components": changes or None,
        "deliver_notifications": update.tells,
        "custom_tweet": update.short_text or None,
        "tweet_id": None,
    }


def _by_begin(some: Iterable[ShownIncident]) -> list[ShownIncident]:
    return sorted(some, key=lambda one: (one.scheduled_for or one.started_at, one.id))


@lru_cache(8192)
def _time(at: datetime) -> str:
    """A document says the same times again and again, and writing them took most of its time."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _time_or_none(at: datetime | None) -> str | None:
    return None if at is None else _time(at)
