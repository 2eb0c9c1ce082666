"""What is not published yet, written anew: its words, how components will be, and when the world sees it."""

from datetime import datetime

from django.db import transaction

from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from status import dues, incidents
from status.incidents import Refused, Words
from status.models import IncidentDue, IncidentUpdate


@transaction.atomic
def rewrite(update: IncidentUpdate, words: Words, user: User, *, at: datetime) -> IncidentUpdate:
    """Let a draft, or what waits for its time, say this instead; what neither is a draft any more nor has a time to
    come is published. Raises Refused, also where it was published meanwhile.
    """
    draft = IncidentUpdate.objects.select_for_update(of=("self",)).select_related("incident").get(pk=update.pk)
    if draft.published_at is not None:
        raise Refused("what was published is corrected, not written anew")
    incidents.check_words(draft.incident, words)
    before = draft.body
    draft.status, draft.body = words.status, words.body.strip()[: incidents.LONGEST_BODY]
    draft.tells = words.tells and not draft.incident.is_backfilled
    draft.short_text = words.short_text.strip()[:280]
    draft.components = incidents.states_said(draft.incident, words)
    draft.publish_at = None if words.is_draft else words.publish_at
    draft.display_at = words.display_at or draft.publish_at or at
    draft.updated_at = at
    draft.save()
    data = {"incident": draft.incident_id, "update": draft.pk, "before": before[:2000]}
    record(Fact("incident.rewritten", None, Actor.agent(user), data=data), at=at)
    if draft.publish_at is not None and draft.publish_at > at:
        # What was planned sooner finds nothing to do then, and waits for this.
        dues.plan_sooner(draft.incident_id, IncidentDue.Kind.PUBLISH, draft.publish_at)
    elif not words.is_draft:
        incidents.publish(draft.pk, user, at=at)
    draft.refresh_from_db()
    return draft
