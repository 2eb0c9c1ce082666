"""Writing a schedule with its layers and members, and taking back a stand-in; shifts are planned again at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.oncall import rotas
from helpdesk.oncall.models import Layer, LayerMember, Override, Schedule


class OverrideIsOver(ValueError):
    """What has been is not taken back."""


@dataclass(frozen=True, slots=True)
class LayerGiven:
    """A layer as somebody wrote it; `restrictions` as in the model, `members` in the order of their turns."""

    position: int
    rotation: str
    turn: int
    starts_on: date
    handoff: time
    restrictions: list[dict[str, Any]]
    members: list[User]


@transaction.atomic
def save_schedule(
    schedule: Schedule,
    *,
    name: str,
    timezone: str,
    fallback: User,
    at: datetime,
    actor: Actor,
    layers: Iterable[LayerGiven] | None = None,
) -> Schedule:
    """Write a schedule, new or known; `layers` replace its own, None leaves them. Shifts before `at` stay as they were.

    Raises ValueError for a rota that makes no sense.
    """
    schedule.name, schedule.timezone, schedule.fallback = name, timezone, fallback
    schedule.save()
    if layers is not None:
        given = {layer.position: layer for layer in layers}
        _retire(schedule, given.keys())
        for layer in given.values():
            _write(schedule, layer)
    rotas.change_rota(schedule, at=at, actor=actor)
    schedule.refresh_from_db()
    return schedule


def _retire(schedule: Schedule, positions: Iterable[int]) -> None:
    """A layer with a past keeps its row, with nobody in it: deleting it would rewrite who was on call."""
    gone = schedule.layers.exclude(position__in=list(positions))
    gone.filter(shifts=None).delete()
    LayerMember.objects.filter(layer__in=gone.values("pk")).delete()


def _write(schedule: Schedule, given: LayerGiven) -> None:
    layer, _ = Layer.objects.update_or_create(
        schedule=schedule,
        position=given.position,
        defaults={
            "rotation": given.rotation,
            "turn": given.turn,
            "starts_on": given.starts_on,
            "handoff": given.handoff,
            "restrictions": given.restrictions,
        },
    )
    layer.turns.all().delete()
    LayerMember.objects.bulk_create(
        LayerMember(layer=layer, user=user, position=place) for place, user in enumerate(given.members, start=1)
    )


@transaction.atomic
def stand_down(override: Override, *, at: datetime, actor: Actor) -> None:
    """Take a stand-in back: one to come is removed, a running one ends at `at`. Raises OverrideIsOver."""
    override = Override.objects.select_for_update().get(pk=override.pk)
    begins, ends = override.during.lower, override.during.upper
    assert begins is not None and ends is not None, "stand_in knows no endless ones"
    if ends <= at:
        raise OverrideIsOver("this is over; what has been stays on record")
    if begins >= at:
        override.delete()
    else:
        override.during = DateTimeTZRange(begins, at)
        override.save(update_fields=["during"])
    record(Fact("rota.changed", actor=actor, data={"schedule": override.schedule_id}), at=at)
