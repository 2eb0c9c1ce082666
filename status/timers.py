"""What the clock does to incidents: the functions of STATUS_DUES, called with the incident's row locked."""

from datetime import datetime

from django.db.models import Min

from status import incidents
from status.models import Incident


def publish(incident: Incident, at: datetime) -> datetime | None:
    """Publish what has waited for this time."""
    waiting = incident.updates.filter(published_at=None, publish_at__isnull=False)
    for pk in waiting.filter(publish_at__lte=at).order_by("publish_at", "pk").values_list("pk", flat=True):
        incidents.publish(pk, None, at=at)
    following: datetime | None = waiting.aggregate(first=Min("publish_at"))["first"]
    return following
