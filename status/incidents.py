"""What is done about an incident: opened, told about, corrected, ended. Every step is one transaction of state, event
and what must follow; nobody outside sees or hears of anything that is not published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM, Actor
from status import components, dues, pages
from status.models import GOING_ON, AffectedComponent, Incident, IncidentComponent, IncidentDue, IncidentUpdate, State
from status.rollup import impact

PUBLISHED: Final = "incident.published"
"""An update was published: {incident, update, tells}. Subscribers, linked conversations and the export follow."""
LONGEST_BODY: Final = 50_000
OVER: Final = (Incident.Status.RESOLVED, Incident.Status.COMPLETED)
Kind, Status = Incident.Kind, Incident.Status
STATUSES: Final = {
    Kind.INCIDENT: (Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING, Status.RESOLVED, Status.POSTMORTEM),
    Kind.MAINTENANCE: (Status.SCHEDULED, Status.IN_PROGRESS, Status.VERIFYING, Status.COMPLETED),
}


class Refused(ValueError):
    """What was asked makes no sense for this incident; the argument says why."""


@dataclass(frozen=True, slots=True)
class Words:
    """One update as it is asked for. `components`: states by component id, None to leave all as they are (or, at the
    end, to make them operational). Unpublished with `is_draft`, or until `publish_at`.
    """

    status: str
    body: str
    components: Mapping[int, str] | None = None
    tells: bool = True
    short_text: str = ""
    display_at: datetime | None = None
    is_draft: bool = False
    publish_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """An incident as it is asked for, with its first words. `scheduled_for` and `_until` are a maintenance's window."""

    name: str
    words: Words
    kind: str = Kind.INCIDENT
    impact_override: str = ""
    started_at: datetime | None = None
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None
    remind_minutes: int = 60
    is_automatic: bool = True
    is_backfilled: bool = False
    resolved_at: datetime | None = None
    series_id: int | None = None
    occurs_at: datetime | None = None


@transaction.atomic
def open_incident(given: Opening, user: User | None, *, at: datetime) -> Incident:
    """Make an incident and, unless it is a draft, publish its first words. Raises Refused."""
    _check_opening(given, at)
    over_at = (given.resolved_at or at) if given.words.status not in GOING_ON else None
    incident = Incident.objects.create(
        kind=given.kind,
        name=given.name.strip()[:200],
        status=given.words.status,
        impact_override=given.impact_override,
        started_at=given.started_at or given.scheduled_for or at,
        scheduled_for=given.scheduled_for,
        scheduled_until=given.scheduled_until,
        remind_minutes=given.remind_minutes,
        is_automatic=given.is_automatic,
        is_backfilled=given.is_backfilled,
        resolved_at=over_at,
        series_id=given.series_id,
        occurs_at=given.occurs_at,
        created_by=user,
        created_at=at,
        updated_at=at,
    )
    add_update(incident, given.words, user, at=at)
    incident.refresh_from_db()
    return incident


def _check_opening(given: Opening, at: datetime) -> None:
    if not given.name.strip():
        raise Refused("an incident needs a name")
    _check_status(given.kind, given.words.status)
    if (given.kind == Kind.MAINTENANCE) != (given.scheduled_for is not None and given.scheduled_until is not None):
        raise Refused("a maintenance, and only one, has a begin and an end")
    if given.scheduled_for and given.scheduled_until and given.scheduled_until <= given.scheduled_for:
        raise Refused("a maintenance ends after it begins")
    began = given.started_at or given.scheduled_for or at
    if given.started_at is not None and given.started_at > at:
        raise Refused("an incident does not begin in the future")
    if given.resolved_at is not None and not began <= given.resolved_at <= at:
        raise Refused("an incident ends after it begins, and not in the future")


def _check_status(kind: str, status: str) -> None:
    possible = STATUSES[Kind(kind)]
    if status not in possible:
        raise Refused(f"{status} is no status of {kind}; it is one of {', '.join(possible)}")


@transaction.atomic
def add_update(incident: Incident, words: Words, user: User | None, *, at: datetime) -> IncidentUpdate:
    """Write the next update, and publish it unless it is a draft or has a later time. Raises Refused."""
    check_words(incident, words)
    update = IncidentUpdate.objects.create(
        incident=incident,
        status=words.status,
        body=words.body.strip()[:LONGEST_BODY],
        tells=words.tells and not incident.is_backfilled,
        short_text=words.short_text.strip()[:280],
        components=states_said(incident, words),
        display_at=words.display_at or words.publish_at or at,
        publish_at=words.publish_at,
        created_by=user,
        created_at=at,
        updated_at=at,
    )
    if words.is_draft:
        return update
    if words.publish_at is not None and words.publish_at > at:
        dues.plan_sooner(incident.pk, IncidentDue.Kind.PUBLISH, words.publish_at)
        return update
    publish(update.pk, user, at=at)
    update.refresh_from_db()
    return update


def check_words(incident: Incident, words: Words) -> None:
    """Raises Refused where they make no sense for this incident."""
    _check_status(incident.kind, words.status)
    if not words.body.strip():
        raise Refused("an update says something")


def states_said(incident: Incident, words: Words) -> dict[str, str]:
    """What an update says of components, as it is kept."""
    if words.components is None and words.status in OVER:
        affected = incident.affected.values_list("component_id", flat=True)
        return {str(pk): State.OPERATIONAL.value for pk in affected}
    return {str(pk): state for pk, state in (words.components or {}).items()}


@transaction.atomic
def publish(update_id: int, user: User | None, *, at: datetime) -> bool:
    """Let the world see an update; False where it does already. Everything that follows from it follows from here."""
    update = IncidentUpdate.objects.select_related("incident").get(pk=update_id)
    incident = Incident.objects.select_for_update().get(pk=update.incident_id)
    update = IncidentUpdate.objects.select_for_update(of=("self",)).get(pk=update_id)
    if update.published_at is not None:
        return False
    states = {int(pk): state for pk, state in update.components.items()}
    locked = components.lock_components({*states, *incident.affected.values_list("component_id", flat=True)})
    states = {pk: state for pk, state in states.items() if pk in locked}
    if incident.status == Status.SCHEDULED and update.status in GOING_ON:
        # What was planned happens now, and is told of now.
        states = dict(incident.affected.values_list("component_id", "state")) | states
    before = {pk: component.state for pk, component in locked.items()}
    is_first = incident.published_at is None
    _move(incident, update, at)
    _affect(incident, states)
    components.recompute(locked, at=at)
    if is_first and incident.kind == Kind.INCIDENT:
        components.it_was_so(locked, states, incident.started_at, min(incident.resolved_at or at, at))
    AffectedComponent.objects.bulk_create(
        # What is only planned changes nothing yet.
        AffectedComponent(
            update=update,
            component_id=pk,
            old_state=before[pk],
            new_state=before[pk] if update.status == Status.SCHEDULED else state,
        )
        for pk, state in states.items()
    )
    _set_impact(incident)
    update.published_at, update.publish_at, update.updated_at = at, None, at
    update.save(update_fields=["published_at", "publish_at", "updated_at"])
    dues.plan_for(incident, at)
    data = {"incident": incident.pk, "update": update.pk, "status": update.status, "tells": update.tells}
    record(Fact(PUBLISHED, None, SYSTEM if user is None else Actor.agent(user), data=data), at=at)
    pages.changed(at)
    return True


def _move(incident: Incident, update: IncidentUpdate, at: datetime) -> None:
    """The incident's own state follows its newest published words."""
    if incident.status == Status.SCHEDULED and update.status != Status.SCHEDULED:
        # Begun, or cancelled: what never began does not begin before its end.
        incident.started_at = at if update.status in GOING_ON else max(incident.started_at, at)
    incident.status = update.status
    if update.status == Status.MONITORING and incident.monitoring_at is None:
        incident.monitoring_at = at
    if update.status in GOING_ON:
        incident.resolved_at = None
    elif incident.resolved_at is None:
        incident.resolved_at = at
    incident.published_at = incident.published_at or at
    incident.updated_at = at
    incident.save()


def _affect(incident: Incident, states: Mapping[int, str]) -> None:
    for pk, state in states.items():
        IncidentComponent.objects.update_or_create(incident=incident, component_id=pk, defaults={"state": state})


def _set_impact(incident: Incident) -> None:
    """What an incident meant stays known when it is over: the impact follows the worst state that was ever said."""
    is_maintenance = incident.kind == Kind.MAINTENANCE
    said = AffectedComponent.objects.filter(update__incident=incident).values_list("new_state", flat=True).distinct()
    Incident.objects.filter(pk=incident.pk).update(impact=impact(said, is_maintenance=is_maintenance))


@transaction.atomic
def correct(update: IncidentUpdate, body: str, user: User, *, display_at: datetime | None = None, at: datetime) -> None:
    """Change the words of an update. Whoever was told already is not told again. Raises Refused."""
    if not body.strip():
        raise Refused("an update says something")
    before = update.body
    update.body, update.updated_at = body.strip()[:LONGEST_BODY], at
    update.display_at = display_at or update.display_at
    update.save(update_fields=["body", "updated_at", "display_at"])
    data = {"incident": update.incident_id, "update": update.pk, "before": before[:2000]}
    record(Fact("incident.corrected", None, Actor.agent(user), data=data), at=at)
    if update.published_at is not None:
        pages.changed(at)


@transaction.atomic
def discard(update: IncidentUpdate, user: User, *, at: datetime) -> None:
    """Throw an unpublished update away; an incident of which nothing was ever published goes with its last one. Raises
    Refused.
    """
    locked = IncidentUpdate.objects.select_for_update(of=("self",)).select_related("incident").get(pk=update.pk)
    if locked.published_at is not None:
        raise Refused("what was published is corrected, not taken back")
    data = {"incident": locked.incident_id, "body": locked.body[:2000]}
    record(Fact("incident.discarded", None, Actor.agent(user), data=data), at=at)
    incident = locked.incident
    locked.delete()
    if incident.published_at is None and not incident.updates.exists():
        incident.delete()


@transaction.atomic
def override_impact(incident: Incident, value: str, user: User, *, at: datetime) -> None:
    """Say what an incident means, whatever its components say; "" to let them say it again."""
    Incident.objects.filter(pk=incident.pk).update(impact_override=value, updated_at=at)
    record(Fact("incident.judged", None, Actor.agent(user), data={"incident": incident.pk, "impact": value}), at=at)
    pages.changed(at)
