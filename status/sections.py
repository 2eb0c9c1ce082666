"""What the public pages show, worked out from a snapshot: components in their groups, what goes on, days gone by."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.utils.translation import gettext

from status import rollup, wording
from status.snapshot import ShownComponent, ShownIncident, Snapshot

PAST_DAYS: Final = 14
_WORSE_FIRST: Final = ("critical", "major", "minor", "maintenance", "none")


@dataclass(frozen=True, slots=True)
class Block:
    """A group with what is in it, or a component that is in none, alone (`group` is None)."""

    group: ShownComponent | None
    state: str
    components: list[ShownComponent]


@dataclass(frozen=True, slots=True)
class PastDay:
    """A day and what began on it; or several days, `since` the first of them, on which nothing did."""

    on: date
    since: date
    incidents: list[ShownIncident]


def headline(shown: Snapshot) -> dict[str, str]:
    """The sentence over everything and its colour. An incident that affects no component is not "all fine" either."""
    indicator, description = rollup.overall([one.state for one in shown.components if not one.is_group])
    impacts = [one.impact for one in shown.incidents if one.is_open]
    if indicator == "none" and impacts:
        worst = min(impacts, key=_WORSE_FIRST.index)
        tone = "warn" if worst == "none" else wording.TONES[worst]
        return {"words": gettext("We are looking into a problem"), "tone": tone, "icon": "triangle-alert"}
    tone = wording.TONES[indicator]
    icon = {"ok": "circle-check", "info": "wrench", "bad": "circle-x"}.get(tone, "triangle-alert")
    return {"words": wording.overall(description), "tone": tone, "icon": icon}


def blocks(shown: Snapshot, only: Collection[str] | None = None) -> list[Block]:
    """All components in their order, those alone and the groups that are not empty; or only those with these ids."""
    found = []
    for one in shown.components:
        if one.is_group:
            members = [child for child in shown.children(one) if _is_shown(child, only)]
            if members:
                state = rollup.worst(child.state for child in members)
                found.append(Block(one, state, members))
        elif one.group_id is None and _is_shown(one, only):
            found.append(Block(None, one.state, [one]))
    return found


def _is_shown(one: ShownComponent, only: Collection[str] | None) -> bool:
    if only is not None and one.id not in only:
        return False
    return not one.only_if_degraded or one.state != "operational"


def going_on(shown: Snapshot) -> dict[str, Any]:
    """Open incidents, maintenance that is being done, and what is planned, the soonest first."""
    windows = sorted((one for one in shown.maintenances if one.is_open), key=lambda one: (one.scheduled_for, one.id))
    return {
        "open_incidents": [one for one in shown.incidents if one.is_open],
        "active": [one for one in windows if one.status != "scheduled"],
        "upcoming": [one for one in windows if one.status == "scheduled"],
    }


def past_days(shown: Snapshot) -> list[PastDay]:
    """The last two weeks, newest first, each day with what began on it and is over."""
    over: dict[date, list[ShownIncident]] = {}
    for one in shown.recent:
        if not one.is_open:
            over.setdefault(one.started_at.astimezone(shown.zone).date(), []).append(one)
    today = shown.at.astimezone(shown.zone).date()
    found: list[PastDay] = []
    for on in (today - timedelta(days=number) for number in range(PAST_DAYS)):
        incidents = over.get(on, [])
        if not incidents and found and not found[-1].incidents:
            found[-1] = PastDay(found[-1].on, on, [])
        else:
            found.append(PastDay(on, on, incidents))
    return found


def month_of(text: str, shown: Snapshot) -> tuple[datetime, datetime] | None:
    """Begin and end of a month written 2026-11, in the page's zone; None where nothing can lie in it."""
    begin = _begin(text, shown)
    if begin is None or begin > shown.at or shown.first_at is None:
        return None
    end = _first_of(begin.date() + timedelta(days=31), shown)
    return (begin, end) if end > shown.first_at else None


def _begin(text: str, shown: Snapshot) -> datetime | None:
    try:
        return _first_of(date.fromisoformat(f"{text}-01"), shown)
    except ValueError:
        return None


def _first_of(on: date, shown: Snapshot) -> datetime:
    return datetime.combine(on.replace(day=1), time(), shown.zone)


def months(shown: Snapshot) -> list[date]:
    """The firsts of all months since the first incident, newest first; this month where there was none yet."""
    month = shown.at.astimezone(shown.zone).date().replace(day=1)
    first = (shown.first_at or shown.at).astimezone(shown.zone).date().replace(day=1)
    found = [month]
    while found[-1] > first and len(found) < 600:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found
