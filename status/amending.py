"""What an incident is called and when it began, corrected afterwards. Nobody is told."""

from datetime import datetime

from django.db import transaction

from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from status import components, pages
from status.incidents import Refused
from status.models import Incident


@transaction.atomic
def amend(
    incident: Incident, user: User, *, name: str | None = None, started_at: datetime | None = None, at: datetime
) -> None:
    """Another name, another begin; time that an earlier begin adds counts for uptime. Raises Refused."""
    locked = Incident.objects.select_for_update().get(pk=incident.pk)
    before = {"name": locked.name, "started_at": locked.started_at.isoformat()}
    if name is not None:
        if not name.strip():
            raise Refused("an incident needs a name")
        locked.name = name.strip()[:200]
    if started_at is not None:
        _move_begin(locked, started_at, at)
    after = {"name": locked.name, "started_at": locked.started_at.isoformat()}
    if before == after:
        return
    locked.updated_at = at
    locked.save(update_fields=["name", "started_at", "updated_at"])
    data = {"incident": locked.pk, "before": before, "after": after}
    record(Fact("incident.amended", None, Actor.agent(user), data=data), at=at)
    if locked.published_at is not None:
        pages.changed(at)


def _move_begin(incident: Incident, started_at: datetime, at: datetime) -> None:
    if incident.kind != Incident.Kind.INCIDENT:
        raise Refused("a maintenance is rescheduled instead")
    if started_at > (incident.resolved_at or at):
        raise Refused("an incident begins before it ends, and not in the future")
    if incident.published_at is not None and started_at < incident.started_at:
        states = dict(incident.updates.earliest("published_at", "pk").affected.values_list("component_id", "new_state"))
        locked = components.lock_components(states)
        components.it_was_so(locked, states, started_at, incident.started_at)
    incident.started_at = started_at
