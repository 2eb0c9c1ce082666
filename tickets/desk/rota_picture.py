"""A schedule's next two weeks as the pages draw it: who has the pager now, bars by day, hand-offs, gaps."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from helpdesk.oncall import rotas
from helpdesk.oncall.models import Schedule
from helpdesk.oncall.rota import gaps, handoffs
from tickets.desk import rota_table
from tickets.zones import known_zone


def of_schedule(schedule: Schedule, names: Mapping[int, str], at: datetime) -> dict[str, Any]:
    """`names` has agents' names by id; every instant is shown in the schedule's own zone."""
    zone = known_zone(schedule.timezone)
    slots = rotas.timeline(schedule, at, at + rotas.LOOK_AHEAD)
    changes = [
        {"at": change.at, "leaving": names.get(change.leaving or 0), "arriving": names.get(change.arriving or 0)}
        for change in handoffs(slots)
    ]
    return {
        "schedule": schedule,
        "zone": zone,
        "now": rotas.on_call(schedule.pk, at),
        "until": next((slot.end for slot in slots if slot.user is None or slot.end > at), None),
        "days": rota_table.days(slots, names, zone),
        "people": sorted({(slot.user, names.get(slot.user, "")) for slot in slots if slot.user is not None}),
        "handoffs": changes,
        "gaps": gaps(slots),
    }
