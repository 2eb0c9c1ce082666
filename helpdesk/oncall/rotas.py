"""Who is on call: shifts planned into the database, and the look-up every page relies on."""

from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.oncall.models import Layer, Override, Schedule, Shift
from helpdesk.oncall.rota import (
    LayerPlan,
    OverridePlan,
    Restriction,
    Slot,
    final_schedule,
    gaps,
    plan_shifts,
    whole_slots,
)

HORIZON = timedelta(days=60)
LOOK_AHEAD = timedelta(days=14)


def layer_plan(layer: Layer) -> LayerPlan:
    """A layer as arithmetic. Raises ValueError for restrictions that make no sense."""
    return LayerPlan(
        id=layer.pk,
        position=layer.position,
        rotation=layer.rotation,  # type: ignore[arg-type]
        turn=layer.turn,
        starts_on=layer.starts_on,
        handoff=layer.handoff,
        members=tuple(turn.user_id for turn in layer.turns.all()),
        restrictions=tuple(
            Restriction(frozenset(r["days"]), time.fromisoformat(r["start"]), _end(r["end"]))
            for r in layer.restrictions
        ),
    )


def _end(text: str) -> time:
    return time(0) if text == "24:00" else time.fromisoformat(text)


@transaction.atomic
def plan(schedule: Schedule, *, at: datetime) -> None:
    """Write the shifts of the next HORIZON. What lies before `at` stays as it was; a running shift ends at `at`."""
    schedule = Schedule.objects.select_for_update().get(pk=schedule.pk)
    until = at + HORIZON
    for layer in schedule.layers.prefetch_related("turns"):
        layer.shifts.filter(during__startswith__gte=at).delete()
        for running in layer.shifts.filter(during__contains=at):
            running.during = DateTimeTZRange(running.during.lower, at)
            running.save(update_fields=["during"])
        Shift.objects.bulk_create(
            Shift(layer=layer, user_id=shift.user, during=DateTimeTZRange(max(shift.start, at), shift.end))
            for shift in plan_shifts(layer_plan(layer), schedule.timezone, at, until)
        )
    schedule.planned_until = until
    schedule.save(update_fields=["planned_until"])


def plan_ahead(*, at: datetime) -> int:
    """Extend every schedule that is planned for less than half the horizon; how many were."""
    behind = [s for s in Schedule.objects.all() if s.planned_until is None or s.planned_until < at + HORIZON / 2]
    for schedule in behind:
        plan(schedule, at=at)
    return len(behind)


@transaction.atomic
def change_rota(schedule: Schedule, *, at: datetime, actor: Actor = SYSTEM) -> None:
    """Layers, members or restrictions were changed: plan again and say so."""
    plan(schedule, at=at)
    record(Fact("rota.changed", actor=actor, data={"schedule": schedule.pk}), at=at)


@transaction.atomic
def stand_in(
    schedule: Schedule, user: User, start: datetime, end: datetime, *, at: datetime, actor: Actor, reason: str = ""
) -> Override:
    """`user` takes over from `start` to `end`. Raises IntegrityError where another override covers that time."""
    override = Override.objects.create(schedule=schedule, user=user, during=DateTimeTZRange(start, end), reason=reason)
    record(Fact("rota.changed", actor=actor, data={"schedule": schedule.pk, "override": override.pk}), at=at)
    return override


def on_call(schedule_id: int, at: datetime) -> User:
    """The person to call now: an override, else the highest layer with a shift, else the schedule's fallback."""
    override = Override.objects.select_related("user").filter(
        schedule_id=schedule_id, during__contains=at, user__is_active=True
    )
    if stand := override.first():
        return stand.user
    shifts = Shift.objects.select_related("user").filter(
        layer__schedule_id=schedule_id, during__contains=at, user__is_active=True
    )
    if shift := shifts.order_by("-layer__position").first():
        return shift.user
    return Schedule.objects.select_related("fallback").get(pk=schedule_id).fallback


def timeline(schedule: Schedule, start: datetime, end: datetime) -> list[Slot]:
    """Who is on call from `start` to `end` as the rota stands now, gaps included."""
    layers, overrides = _plans(schedule, start, end)
    return final_schedule(layers, overrides, schedule.timezone, start, end)


def whole_timeline(schedule: Schedule, start: datetime, end: datetime) -> list[Slot]:
    """The slots touching `start` to `end` in full length, without gaps, for calendars."""
    layers, overrides = _plans(schedule, start, end)
    return whole_slots(layers, overrides, schedule.timezone, start, end)


def _plans(schedule: Schedule, start: datetime, end: datetime) -> tuple[list[LayerPlan], list[OverridePlan]]:
    layers = [layer_plan(layer) for layer in schedule.layers.prefetch_related("turns")]
    overrides = [
        OverridePlan(o.during.lower or start, o.during.upper or end, o.user_id, o.pk)
        for o in schedule.overrides.filter(during__overlap=DateTimeTZRange(start, end))
    ]
    return layers, overrides


def coverage_gaps(schedule: Schedule, *, at: datetime) -> list[Slot]:
    """Times of the next two weeks in which only the fallback would be called."""
    return gaps(timeline(schedule, at, at + LOOK_AHEAD))
