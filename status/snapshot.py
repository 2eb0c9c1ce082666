"""What the public may see, as plain data of one moment: pages, API, feeds and files are made of this and nothing else.
Private components, and what affects only these, are not in it.
"""

import json
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings

from helpdesk.prepared import Prepared
from status import snapshot_sql
from status.models import GOING_ON
from status.rollup import worst

UPTIME_DAYS: Final = 90
# As many as Statuspage's API v2 gives (https://metastatuspage.com/api).
RECENT: Final = 50
MOST_OPEN: Final = 200
# Bounds on what nobody reads: a component that flaps, an incident with thousands of updates, a month of thousands.
MOST_SPANS: Final = 2000
MOST_UPDATES: Final = 100
MOST_UPDATES_OF_ONE: Final = 1000
MOST_OF_A_MONTH: Final = 500

# The front page goes back two weeks, of which none may be cut, and shows so many updates of an incident.
FRONT_PAST: Final = timedelta(days=16)
FRONT_UPDATES: Final = 3
_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
# When a page changed last of which nobody has changed anything yet.
_NEVER: Final = "1970-01-01T00:00:00+00:00"

_OLDER: Final = Prepared("status_older", snapshot_sql.OLDER)
_ONE: Final = Prepared("status_one", snapshot_sql.ONE)
_INDEX: Final = Prepared("status_index", snapshot_sql.INDEX)


class Part(Enum):
    """How much is read: what only one document is made of is a part of everything."""

    WHOLE = Prepared("status_snapshot", snapshot_sql.WHOLE)
    FRONT = Prepared("status_front", snapshot_sql.FRONT)
    """The front page: less of what is over, and of long stories."""
    PAST = Prepared("status_past", snapshot_sql.PAST)
    """No uptime."""
    GOING_ON = Prepared("status_going_on", snapshot_sql.GOING_ON)
    """No uptime, and nothing that is over."""
    COMPONENTS = Prepared("status_components", snapshot_sql.PARTS)
    """Neither uptime nor incidents."""


@dataclass(frozen=True, slots=True)
class Span:
    """How a component was; `until` is None where it is so still."""

    state: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ShownComponent:
    """A component, or a group of them. Ids are public ones; `spans` are those of trouble."""

    id: str
    group_id: str | None
    name: str
    description: str
    is_group: bool
    position: int
    state: str
    shows_uptime: bool
    only_if_degraded: bool
    is_private: bool
    started_on: date
    created_at: datetime
    updated_at: datetime
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What an update changed of a component."""

    component_id: str
    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ShownUpdate:
    id: str
    status: str
    body: str
    tells: bool
    short_text: str
    display_at: datetime
    created_at: datetime
    updated_at: datetime
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ShownIncident:
    """An incident or a maintenance; `updates` newest first, the newest of `update_count`; `states` by component id."""

    id: str
    kind: str
    name: str
    status: str
    impact: str
    started_at: datetime
    monitoring_at: datetime | None
    resolved_at: datetime | None
    scheduled_for: datetime | None
    scheduled_until: datetime | None
    is_automatic: bool
    remind_minutes: int
    is_backfilled: bool
    created_at: datetime
    updated_at: datetime
    update_count: int
    states: Mapping[str, str]
    updates: tuple[ShownUpdate, ...]

    @property
    def is_open(self) -> bool:
        return self.status in GOING_ON

    @property
    def is_maintenance(self) -> bool:
        return self.kind == "maintenance"

    @property
    def changed_at(self) -> datetime:
        """When anything of it changed last, corrected words included."""
        return max([self.updated_at, *(update.updated_at for update in self.updates)])


@dataclass(frozen=True)
class Snapshot:
    """Everything shown at one moment; `raw` is what it was read from, to be kept. Incidents are newest first. `drawn`
    is for whoever draws what stays so for as long as nothing else is read; `seen` are the private components (and the
    groups of such) that are in it.
    """

    at: datetime
    raw: str
    page_id: str
    timezone: str
    about: str
    version: int
    changed_at: datetime
    company: str
    logo: str
    languages: tuple[str, ...]
    first_at: datetime | None
    components: tuple[ShownComponent, ...]
    recent: tuple[ShownIncident, ...]
    drawn: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)
    seen: tuple[int, ...] = ()

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def name(self) -> str:
        """Whose page it is."""
        return self.logo or self.company or "Helpdesk"

    @cached_property
    def language(self) -> str:
        """The language of what asks for none."""
        known = [code for code, _name in settings.LANGUAGES]
        return next((code for code in self.languages if code in known), known[0])

    @cached_property
    def by_id(self) -> dict[str, ShownComponent]:
        return {one.id: one for one in self.components}

    @cached_property
    def incidents(self) -> tuple[ShownIncident, ...]:
        return tuple(one for one in self.recent if not one.is_maintenance)

    @cached_property
    def maintenances(self) -> tuple[ShownIncident, ...]:
        return tuple(one for one in self.recent if one.is_maintenance)

    def children(self, group: ShownComponent) -> list[ShownComponent]:
        return [one for one in self.components if one.group_id == group.id]

    def state_of(self, one: ShownComponent) -> str:
        """How it is; a group is as bad as the worst in it."""
        return worst(child.state for child in self.children(one)) if one.is_group else one.state

    def find(self, public_id: str) -> ShownIncident | None:
        return next((one for one in self.recent if one.id == public_id), None)


def take(at: datetime, part: Part = Part.WHOLE, *, seen: Collection[int] = ()) -> Snapshot:
    """How everything is, or that part of it. `seen` are ids of private components, and of their groups, that are to be
    in it.
    """
    is_for_front = part is Part.FRONT
    row = part.value.row(
        {
            "seen": list(seen),
            "since": at - timedelta(days=UPTIME_DAYS + 1),
            "open": MOST_OPEN,
            "recent": RECENT,
            "began": at - FRONT_PAST if is_for_front else _EVER,
            "updates": FRONT_UPDATES if is_for_front else MOST_UPDATES,
            "spans": MOST_SPANS,
        }
    )
    assert row is not None, "the statement makes one row"
    return replace(parse(row[0], at), seen=tuple(seen))


def month(begin: datetime, end: datetime, *, seen: Collection[int] = ()) -> list[ShownIncident]:
    """What began within this time, newest first."""
    given = {"seen": list(seen), "begin": begin, "end": end, "recent": MOST_OF_A_MONTH, "updates": MOST_UPDATES}
    row = _OLDER.row(given)
    return [] if row is None else [_incident(one) for one in json.loads(row[0])]


def incident(public_id: str, *, seen: Collection[int] = ()) -> ShownIncident | None:
    """One incident, however old, with as many of its updates as anybody reads."""
    row = _ONE.row({"seen": list(seen), "public_id": public_id, "updates": MOST_UPDATES_OF_ONE})
    found = [] if row is None else [_incident(one) for one in json.loads(row[0])]
    return found[0] if found else None


def index() -> list[tuple[str, datetime, datetime]]:
    """Every public incident and maintenance there ever was: its id, when it began, when anything of it changed."""
    return [(public_id, started_at, changed_at) for public_id, started_at, changed_at in _INDEX.rows({"seen": []})]


def parse(raw: str, at: datetime) -> Snapshot:
    """The snapshot that was read as `raw`. Raises ValueError, KeyError or TypeError for what is none."""
    return replace(_parsed(raw), at=at)


@lru_cache(4)
def _parsed(raw: str) -> Snapshot:
    """Mostly it says what it said a moment ago."""
    given = json.loads(raw)
    page = given["page"] or {
        "public_id": "", "timezone": "UTC", "about": "", "version": 0, "changed_at": _NEVER,
    }  # fmt: skip
    company = given["company"] or {"name": "", "logo_text": "", "languages": []}
    return Snapshot(
        at=_time(page["changed_at"]),
        raw=raw,
        page_id=page["public_id"],
        timezone=page["timezone"],
        about=page["about"],
        version=page["version"],
        changed_at=_time(page["changed_at"]),
        company=company["name"],
        logo=company["logo_text"],
        languages=tuple(company["languages"]),
        first_at=_time_or_none(given["first_at"]),
        components=tuple(_component(one) for one in given["components"]),
        recent=tuple(_incident(one) for one in given["incidents"]),
    )


def _component(row: Mapping[str, Any]) -> ShownComponent:
    return ShownComponent(
        id=row["public_id"],
        group_id=row["group_public_id"],
        name=row["name"],
        description=row["description"],
        is_group=row["is_group"],
        position=row["position"],
        state=row["state"],
        shows_uptime=row["shows_uptime"],
        only_if_degraded=row["only_if_degraded"],
        is_private=row["is_private"],
        started_on=date.fromisoformat(row["started_on"]),
        created_at=_time(row["created_at"]),
        updated_at=_time(row["updated_at"]),
        spans=tuple(Span(state, _time(since), _time_or_none(until)) for state, since, until in row["spans"]),
    )


def _incident(row: Mapping[str, Any]) -> ShownIncident:
    return ShownIncident(
        id=row["public_id"],
        kind=row["kind"],
        name=row["name"],
        status=row["status"],
        impact=row["impact"],
        started_at=_time(row["started_at"]),
        monitoring_at=_time_or_none(row["monitoring_at"]),
        resolved_at=_time_or_none(row["resolved_at"]),
        scheduled_for=_time_or_none(row["scheduled_for"]),
        scheduled_until=_time_or_none(row["scheduled_until"]),
        is_automatic=row["is_automatic"],
        remind_minutes=row["remind_minutes"],
        is_backfilled=row["is_backfilled"],
        created_at=_time(row["created_at"]),
        updated_at=_time(row["updated_at"]),
        update_count=row["update_count"],
        states=dict(row["states"]),
        updates=_updates(row["updates"]),
    )


def _updates(rows: Sequence[Mapping[str, Any]]) -> tuple[ShownUpdate, ...]:
    return tuple(
        ShownUpdate(
            id=row["public_id"],
            status=row["status"],
            body=row["body"],
            tells=row["tells"],
            short_text=row["short_text"],
            display_at=_time(row["display_at"]),
            created_at=_time(row["created_at"]),
            updated_at=_time(row["updated_at"]),
            changes=tuple(Change(*change) for change in row["changes"]),
        )
        for row in rows
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _time_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
