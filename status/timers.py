"""What the clock does to incidents: the functions of STATUS_DUES, called with the incident's row locked."""

from datetime import datetime
from typing import Final

from django.db.models import Min
from django.utils import translation
from django.utils.translation import gettext

from helpdesk.customers.company import company
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM
from helpdesk.events.models import Event
from helpdesk.oncall import paging
from helpdesk.oncall.models import Urgency
from status import incidents
from status.incidents import Words
from status.models import Incident, IncidentUpdate

OVERRUN: Final = "incident.overrun"
Status = Incident.Status


def publish(incident: Incident, at: datetime) -> datetime | None:
    """Publish what has waited for this time."""
    waiting = incident.updates.filter(published_at=None, publish_at__isnull=False)
    for pk in waiting.filter(publish_at__lte=at).order_by("publish_at", "pk").values_list("pk", flat=True):
        incidents.publish(pk, None, at=at)
    following: datetime | None = waiting.aggregate(first=Min("publish_at"))["first"]
    return following


def remind(incident: Incident, at: datetime) -> datetime | None:
    """Tell everybody once more, a while before a maintenance begins, what was said of it last. On the page nothing is
    new: this update is told, and not shown.
    """
    begins = incident.scheduled_for
    if incident.status != Status.SCHEDULED or begins is None or begins <= at:
        return None
    said = incident.updates.filter(published_at__isnull=False, is_reminder=False)
    newest = said.order_by("-display_at", "-pk").first()
    if newest is None:
        return None
    update = IncidentUpdate.objects.create(
        incident=incident,
        status=incident.status,
        body=newest.body,
        short_text=newest.short_text,
        is_reminder=True,
        display_at=at,
        published_at=at,
        created_at=at,
        updated_at=at,
    )
    data = {"incident": incident.pk, "update": update.pk, "status": update.status, "tells": True}
    record(Fact(incidents.PUBLISHED, None, SYSTEM, data=data), at=at)
    return None


def begin(incident: Incident, at: datetime) -> datetime | None:
    """A maintenance has begun, and says so."""
    if incident.status == Status.SCHEDULED and incident.is_automatic:
        body = _in_house_language("The maintenance has begun. We will tell you when it is over.")
        incidents.add_update(incident, Words(Status.IN_PROGRESS, body), None, at=at)
    return None


def end(incident: Incident, at: datetime) -> datetime | None:
    """Its time is over: everything works again."""
    if incident.status == Status.IN_PROGRESS and incident.is_automatic:
        body = _in_house_language("The maintenance is over.")
        incidents.add_update(incident, Words(Status.COMPLETED, body), None, at=at)
    return None


def overrun(incident: Incident, at: datetime) -> datetime | None:
    """A maintenance that nobody has begun, or ended, when it should have been: somebody is called to say how it is."""
    begins, ends = incident.scheduled_for, incident.scheduled_until
    if incident.is_over or begins is None or ends is None:
        return None
    waits = incident.status == Status.SCHEDULED
    since = begins if waits else ends
    what = "has not begun" if waits else "is not over"
    record(Fact(OVERRUN, None, SYSTEM, data={"incident": incident.pk, "status": incident.status}), at=at)
    paging.trigger(
        page_key(incident.pk),
        paging.Reason("maintenance", f"The maintenance “{incident.name}” {what}, and should have been", since),
        urgency=Urgency.LOW,
        summary=f"Maintenance {what}: {incident.name}"[:200],
        at=at,
    )
    return None


def settle(event: Event, at: datetime) -> None:
    """The handler of `incident.published`: with every word from whoever does the work nobody needs to be called."""
    paging.resolve_open(page_key(event.data["incident"]), at=at, why="there is news of it")


def page_key(incident_id: int) -> str:
    """One open page a maintenance."""
    return f"helpdesk:maintenance:{incident_id}"


def _in_house_language(text: str) -> str:
    """What the house says stands on the page beside what its people write: in the company's first language."""
    with translation.override(next(iter(company().languages), "en")):
        return gettext(text)
