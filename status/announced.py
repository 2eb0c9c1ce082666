"""What of an incident is announced on the networks: for the room that posts there, which asks by dotted string."""

from typing import Final

from helpdesk.conversations.incidents import Announced
from helpdesk.events.safe_text import one_line
from status import addresses, distributing, pages, times, wording
from status.models import Impact, IncidentUpdate

_OUTAGES: Final = frozenset({Impact.MAJOR, Impact.CRITICAL})


def of_update(update_id: int) -> Announced | None:
    """An update's words for everybody; None where it is kept quiet, is private, or only reminds."""
    update = IncidentUpdate.objects.select_related("incident").filter(pk=update_id).first()
    if update is None or not update.tells or update.is_reminder or update.published_at is None:
        return None
    incident = update.incident
    if not distributing.audience(incident.pk)["is_public"]:
        return None
    name = one_line(incident.name, 120)
    said = one_line(update.short_text or update.body, 600)
    stands = ", ".join(filter(None, (wording.status(update.status), times.window(incident, pages.zone()))))
    return Announced(
        text=f"{name} ({stands}): {said}",
        link=addresses.incident_url(incident.public_id),
        series=f"incident:{incident.pk}",
        source=f"update:{update.pk}",
        is_outage=incident.impact in _OUTAGES,
    )
