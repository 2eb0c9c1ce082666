"""Somebody should look whether this is an incident: many tickets on one service in a short time, or a signal. One open
proposal a component; it grows with what comes in, and ends with whatever is decided.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Service, User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.events.models import Event
from helpdesk.prepared import Prepared
from status import incidents, linking
from status.affecting import GOING_ON, HIT
from status.models import Component, Incident, IncidentComponent, IncidentConversation, Proposal, Signal

MADE: Final = "incident.proposed"
"""{proposal, component, what, count, why, url}: whoever may open incidents is told."""
ENDED: Final = "incident.proposal_ended"
# Who has said no is not asked again at once.
QUIET: Final = timedelta(hours=1)
MOST_CONVERSATIONS: Final = 500

_SERVICE: Final = Service._meta.db_table
# Whatever was opened lately was changed lately, and that has an index. Of what machines have opened nobody is waiting.
_MANY = Prepared(
    "many_tickets_on_a_component",
    f"""
WITH RECURSIVE named(conversation_id, id, parent_id) AS (
    SELECT c.id, service.id, service.parent_id FROM {Conversation._meta.db_table} AS c
    JOIN {Conversation.services.through._meta.db_table} AS names ON names.conversation_id = c.id
    JOIN {_SERVICE} AS service ON service.id = names.service_id
    WHERE c.updated_at > %(since)s::timestamptz AND c.opened_at > %(since)s::timestamptz
        AND c.opened_at <= %(at)s::timestamptz AND c.merged_into_id IS NULL AND NOT c.is_spam
        AND NOT EXISTS (SELECT FROM {IncidentConversation._meta.db_table} AS link WHERE link.conversation_id = c.id)
        AND NOT EXISTS (SELECT FROM {Event._meta.db_table} AS first WHERE first.conversation_id = c.id
            AND first.seq = 1 AND first.data ->> 'automatic' = 'true')
    UNION SELECT named.conversation_id, service.id, service.parent_id FROM {_SERVICE} AS service
    JOIN named ON service.id = named.parent_id
), spoken(component_id, conversation_id) AS (
    SELECT DISTINCT stands.component_id, named.conversation_id FROM named
    JOIN {Component.services.through._meta.db_table} AS stands ON stands.service_id = named.id
)
SELECT component_id, array_agg(conversation_id ORDER BY conversation_id) FROM spoken
WHERE NOT EXISTS (SELECT FROM {IncidentComponent._meta.db_table} AS hit
    JOIN {Incident._meta.db_table} AS incident ON incident.id = hit.incident_id
    WHERE hit.component_id = spoken.component_id AND {GOING_ON} AND {HIT})
GROUP BY component_id HAVING count(*) >= %(many)s::int ORDER BY count(*), component_id
""",
)


class Decided(ValueError):
    """Somebody was quicker: this proposal has ended."""


def find(at: datetime) -> int:
    """Propose incidents where many tickets came in; how many proposals are new. PROPOSE_INCIDENT_TICKETS within
    PROPOSE_INCIDENT_MINUTES are many; 0 tickets propose nothing.
    """
    many = settings.PROPOSE_INCIDENT_TICKETS
    if many <= 0:
        return 0
    since = at - timedelta(minutes=settings.PROPOSE_INCIDENT_MINUTES)
    rows = _MANY.rows({"since": since, "at": at, "many": many})
    made = 0
    for component_id, numbers in _most_precise(rows, many):
        made += _propose_for(component_id, numbers[:MOST_CONVERSATIONS], at)
    return made


def _most_precise(rows: Sequence[tuple[int, list[int]]], many: int) -> list[tuple[int, list[int]]]:
    """Of a server and the cluster around it the server, unless enough speak of the rest of the cluster as well."""
    kept: list[tuple[int, list[int]]] = []
    told: set[int] = set()
    for component_id, numbers in rows:  # those of which fewest speak first
        if len(set(numbers) - told) >= many:
            kept.append((component_id, numbers))
            told |= set(numbers)
    return kept


@transaction.atomic
def _propose_for(component_id: int, numbers: list[int], at: datetime) -> bool:
    known = Proposal.objects.select_for_update().filter(component=component_id, ended_at=None).first()
    if known is not None:
        together = sorted({*known.conversations, *numbers})[:MOST_CONVERSATIONS]
        if together != known.conversations:
            Proposal.objects.filter(pk=known.pk).update(conversations=together)
        return False
    if Proposal.objects.filter(component=component_id, ended_at__gt=at - QUIET).exists():
        return False
    why = f"{len(numbers)} tickets in {settings.PROPOSE_INCIDENT_MINUTES} minutes"
    return _make(Proposal(component_id=component_id, why=why, conversations=numbers, created_at=at), at)


def of_signal(signal: Signal, component: Component, *, at: datetime) -> bool:
    """Propose what a monitoring system has said; whether that is new. In a transaction."""
    why = f"{signal.source.name}: {signal.title}"[:300]
    known = Proposal.objects.select_for_update().filter(component=component, ended_at=None).first()
    if known is not None:
        if known.signal_id is None:
            Proposal.objects.filter(pk=known.pk).update(signal=signal)
        return False
    return _make(Proposal(component=component, why=why, signal=signal, created_at=at), at)


def _make(proposal: Proposal, at: datetime) -> bool:
    # Two sweeps may find the same: the database keeps one.
    Proposal.objects.bulk_create([proposal], ignore_conflicts=True)
    made = Proposal.objects.filter(component=proposal.component_id, ended_at=None, created_at=at, why=proposal.why)
    pk = made.values_list("pk", flat=True).first()
    if pk is None:
        return False
    data = {
        "proposal": pk,
        "component": proposal.component_id,
        "what": proposal.component.name,
        "count": len(proposal.conversations),
        "why": proposal.why,
        "url": reverse("status:desk"),
    }
    record(Fact(MADE, data=data), at=at)
    return True


def waiting() -> list[Proposal]:
    """The open ones, newest first."""
    found = Proposal.objects.filter(ended_at=None).select_related("component", "signal__source")
    return list(found.order_by("-created_at", "-pk"))


def words(proposal: Proposal) -> str:
    """What is proposed, in the reader's language: "7 tickets on web14: open an incident?"."""
    if proposal.conversations:
        count = len(proposal.conversations)
        said = ngettext(
            "%(count)d ticket on %(what)s: open an incident?", "%(count)d tickets on %(what)s: open an incident?", count
        )
        return said % {"count": count, "what": proposal.component.name}
    return _("%(why)s: open an incident for %(what)s?") % {"why": proposal.why, "what": proposal.component.name}


@transaction.atomic
def open_from(proposal_id: int, opening: incidents.Opening, user: User, *, at: datetime) -> Incident:
    """Open the incident, link the conversations that speak of it, end the proposal.

    Raises Decided, incidents.Refused.
    """
    proposal = _open(proposal_id)
    incident = incidents.open_incident(opening, user, at=at)
    _link(proposal, incident, user, at, tells=False)  # they are told of its first update with all others
    _end([proposal], incident, user, at)
    return incident


@transaction.atomic
def join(proposal_id: int, incident: Incident, user: User, *, at: datetime) -> None:
    """It is about an incident that is known already. Raises Decided."""
    proposal = _open(proposal_id)
    _link(proposal, incident, user, at, tells=True)
    _end([proposal], incident, user, at)


@transaction.atomic
def dismiss(proposal_id: int, user: User, *, at: datetime) -> None:
    """It is none. Raises Decided."""
    _end([_open(proposal_id)], None, user, at)


def _open(proposal_id: int) -> Proposal:
    proposal = Proposal.objects.select_for_update(of=("self",)).select_related("signal").filter(pk=proposal_id)
    found = proposal.filter(ended_at=None).first()
    if found is None:
        raise Decided(_("Somebody has decided this already."))
    return found


def _link(proposal: Proposal, incident: Incident, user: User, at: datetime, *, tells: bool) -> None:
    how = IncidentConversation.How.BY_PROPOSAL
    linking.link(incident, proposal.conversations, how=how, user=user, at=at, tells=tells)
    if proposal.signal is not None:
        Signal.objects.filter(pk=proposal.signal.pk, is_firing=True).update(incident=incident)


def settle(incident: Incident, *, at: datetime) -> int:
    """An incident was published: what was proposed for its components is answered by it. How many ended."""
    affected = incident.affected.values_list("component_id", flat=True)
    with transaction.atomic():
        open_ones = Proposal.objects.select_for_update().filter(component__in=affected, ended_at=None)
        return _end(list(open_ones.order_by("pk")), incident, None, at)


def forget(signal: Signal, *, at: datetime) -> int:
    """What was proposed for nothing but this signal, which is over, ends with it. In a transaction."""
    open_ones = Proposal.objects.select_for_update().filter(signal=signal, ended_at=None, conversations=[])
    return _end(list(open_ones.order_by("pk")), None, None, at)


def _end(ended: Collection[Proposal], incident: Incident | None, user: User | None, at: datetime) -> int:
    actor = SYSTEM if user is None else Actor.agent(user)
    for proposal in ended:
        Proposal.objects.filter(pk=proposal.pk).update(ended_at=at, ended_by=user, incident=incident)
        data: Mapping[str, object] = {
            "proposal": proposal.pk,
            "component": proposal.component_id,
            "incident": incident.public_id if incident else None,
        }
        record(Fact(ENDED, None, actor, data=data), at=at)
    return len(ended)
