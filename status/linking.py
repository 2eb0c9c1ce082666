"""Conversations that an incident has caused: linked by the service they name, by hand, from a proposal, or because the
customer asked to be told. A conversation has one incident at a time.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery

from helpdesk.conversations import handling
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import DONE, Conversation, Message, Status
from helpdesk.conversations.visibility import condition, visible_conversations
from helpdesk.customers.models import Customer, Service, User
from helpdesk.events.actions import Fact, record, record_all
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.events.models import Event
from helpdesk.prepared import Prepared
from status import affecting
from status.affecting import BADNESS, GOING_ON, HIT
from status.models import (
    Component,
    ConversationNotice,
    Incident,
    IncidentComponent,
    IncidentConversation,
    IncidentUpdate,
)

LINKED: Final = "conversation.incident_linked"
"""{incident, name, how, tells}: `tells` where the customer is to be told at once what is known."""
UNLINKED: Final = "conversation.incident_unlinked"
How = IncidentConversation.How
# Tickets that came in so long before somebody said that it broke are its first witnesses.
WITNESSES: Final = timedelta(hours=1)
AT_ONCE: Final = 200
MOST_REMEMBERED: Final = 100

_LINK: Final = IncidentConversation._meta.db_table
_NOTICE: Final = ConversationNotice._meta.db_table
_CONVERSATION: Final = Conversation._meta.db_table
_NAMES: Final = Conversation.services.through._meta.db_table
_SERVICE: Final = Service._meta.db_table
_INCIDENT: Final = Incident._meta.db_table
_AFFECTED: Final = IncidentComponent._meta.db_table
_STANDS_FOR: Final = Component.services.through._meta.db_table

# Whoever links by hand knows better than what was linked before; a machine only follows where that one is over.
_WRITE = Prepared(
    "link_conversations",
    f"""
INSERT INTO {_LINK} AS link (incident_id, conversation_id, how, linked_by_id, linked_at)
SELECT %(incident)s::bigint, c.id, %(how)s::text, %(user)s::bigint, %(at)s::timestamptz FROM {_CONVERSATION} AS c
WHERE c.id = ANY(%(conversations)s::bigint[]) AND c.merged_into_id IS NULL AND NOT c.is_spam
    AND (%(by_hand)s::boolean OR c.status NOT IN ('resolved', 'closed'))
ORDER BY c.id
ON CONFLICT (conversation_id) DO UPDATE SET incident_id = excluded.incident_id, how = excluded.how,
    linked_by_id = excluded.linked_by_id, linked_at = excluded.linked_at, still_broken_at = NULL
WHERE link.incident_id <> excluded.incident_id AND (%(by_hand)s::boolean OR EXISTS (
    SELECT FROM {_INCIDENT} AS old WHERE old.id = link.incident_id AND old.resolved_at IS NOT NULL))
RETURNING link.conversation_id
""",
)
# Of what machines have opened nobody waits for an answer.
_WITNESSES = Prepared(
    "witnesses_of_incident",
    f"""
WITH RECURSIVE below(id) AS (
    SELECT stands.service_id FROM {_AFFECTED} AS hit JOIN {_INCIDENT} AS incident ON incident.id = hit.incident_id
    JOIN {_STANDS_FOR} AS stands ON stands.component_id = hit.component_id
    WHERE hit.incident_id = %(incident)s AND {HIT}
    UNION SELECT service.id FROM {_SERVICE} AS service JOIN below ON service.parent_id = below.id
)
SELECT DISTINCT c.id FROM below JOIN {_NAMES} AS names ON names.service_id = below.id
JOIN {_CONVERSATION} AS c ON c.id = names.conversation_id
WHERE c.status IN ('new', 'open', 'pending', 'on_hold') AND c.merged_into_id IS NULL
    AND c.opened_at BETWEEN %(since)s::timestamptz AND %(until)s::timestamptz
    AND NOT EXISTS (SELECT FROM {_LINK} AS link WHERE link.conversation_id = c.id)
    AND NOT EXISTS (SELECT FROM {Event._meta.db_table} AS first WHERE first.conversation_id = c.id AND first.seq = 1
        AND first.data ->> 'automatic' = 'true')
ORDER BY c.id LIMIT {AT_ONCE}
""",
)
_CONCERNED = Prepared(
    "incidents_of_conversations",
    f"""
WITH RECURSIVE named(conversation_id, id, parent_id) AS (
    SELECT names.conversation_id, service.id, service.parent_id FROM {_NAMES} AS names
    JOIN {_SERVICE} AS service ON service.id = names.service_id WHERE names.conversation_id = ANY(%s::bigint[])
    UNION SELECT named.conversation_id, service.id, service.parent_id FROM {_SERVICE} AS service
    JOIN named ON service.id = named.parent_id
)
SELECT DISTINCT ON (named.conversation_id) incident.id, named.conversation_id FROM named
JOIN {_STANDS_FOR} AS stands ON stands.service_id = named.id
JOIN {_AFFECTED} AS hit ON hit.component_id = stands.component_id
JOIN {_INCIDENT} AS incident ON incident.id = hit.incident_id
WHERE {GOING_ON} AND {HIT}
ORDER BY named.conversation_id, {BADNESS} NULLS LAST, incident.started_at DESC, incident.id DESC
""",
)


@transaction.atomic
def link(
    incident: Incident,
    conversations: Collection[int],
    *,
    how: str,
    user: User | None = None,
    at: datetime,
    tells: bool = False,
) -> list[int]:
    """Link conversations; the ids of those that are linked only now. `tells`: their customers are told at once what is
    known. An agent links what they may see; spam and what was merged is never linked, what is done only by hand.
    """
    wanted = sorted(set(conversations))
    if user is not None:
        wanted = sorted(visible_conversations(user).filter(pk__in=wanted).values_list("pk", flat=True))
    given = {
        "incident": incident.pk,
        "how": how,
        "user": user.pk if user else None,
        "at": at,
        "by_hand": how != How.BY_SERVICE,
        "conversations": wanted,
    }
    linked = sorted(row[0] for row in _WRITE.rows(given)) if wanted else []
    data = {"incident": incident.public_id, "name": incident.name, "how": how, "tells": tells}
    actor = SYSTEM if user is None else Actor.agent(user)
    if user is not None:
        _remember(incident, linked, at)
    record_all([Fact(LINKED, pk, actor, data=data) for pk in linked], at=at)
    return linked


def _remember(incident: Incident, conversations: Collection[int], at: datetime) -> None:
    """Conversations that have been linked to it before were told of some updates then."""
    gone = Event.objects.filter(kind=UNLINKED, conversation__in=conversations, data__incident=incident.public_id)
    told = [(event.conversation_id, *pair) for event in gone for pair in event.data.get("told", [])]
    if not told:
        return
    links = dict(IncidentConversation.objects.filter(incident=incident).values_list("conversation_id", "pk"))
    updates = set(IncidentUpdate.objects.filter(incident=incident).values_list("pk", flat=True))
    messages = set(Message.objects.filter(pk__in=[one[2] for one in told]).values_list("pk", flat=True))
    again = [
        ConversationNotice(link_id=links[conversation], update_id=update, message_id=message, at=at)
        for conversation, update, message in told
        if conversation in links and update in updates and message in messages
    ]
    ConversationNotice.objects.bulk_create(again, ignore_conflicts=True)


@transaction.atomic
def unlink(conversation_id: int, user: User, *, at: datetime) -> bool:
    """It has nothing to do with the incident; if it waited for its end, it is work again. False where it had none.

    Raises Conversation.DoesNotExist.
    """
    conversation = lock(conversation_id)
    found = IncidentConversation.objects.select_related("incident").filter(conversation=conversation).first()
    if found is None:
        return False
    # What they were told goes with the link; linked again, they are not told the same again (`_remember`).
    told = found.notices.filter(update__incident=found.incident_id, message__isnull=False).order_by("pk")
    data = {
        "incident": found.incident.public_id,
        "name": found.incident.name,
        "told": list(told.values_list("update_id", "message_id"))[-MOST_REMEMBERED:],
    }
    found.delete()
    record(Fact(UNLINKED, conversation_id, Actor.agent(user), data=data), at=at)
    if conversation.status == Status.ON_HOLD:
        handling.change_status(conversation, Status.OPEN, actor=Actor.agent(user), at=at)
    return True


def link_concerned(conversations: Collection[int], *, at: datetime) -> int:
    """Link those that name a service with which something is wrong; how many are linked only now. One statement where
    nothing is.
    """
    if not conversations or not affecting.is_anything_wrong():
        return 0
    concerned: dict[int, list[int]] = defaultdict(list)
    for incident_id, conversation_id in _CONCERNED.rows([sorted(set(conversations))]):
        concerned[incident_id].append(conversation_id)
    incidents = Incident.objects.in_bulk(concerned)
    return sum(
        len(link(incidents[pk], numbers, how=How.BY_SERVICE, at=at)) for pk, numbers in sorted(concerned.items())
    )


def link_witnesses(incident: Incident, *, at: datetime) -> int:
    """Link the open conversations that name what is affected and came in since it broke or shortly before, until `at`;
    AT_ONCE at most, how many. Call it until none are left.
    """
    found = _WITNESSES.rows({"incident": incident.pk, "since": incident.started_at - WITNESSES, "until": at})
    return len(link(incident, [row[0] for row in found], how=How.BY_SERVICE, at=at))


def incident_of() -> "Subquery[Any]":
    """The public id of a conversation's incident, for the ORM's rows of conversations."""
    mine = IncidentConversation.objects.filter(conversation=OuterRef("pk"))
    return Subquery(mine.values("incident__public_id")[:1])


def name_of(public_id: str) -> str:
    """What an incident is called, "" where there is none with this id."""
    return Incident.objects.filter(public_id=public_id).values_list("name", flat=True).first() or ""


# For statements about conversations that are written by hand: of one as JSON (`c.id`), and those of an incident.
BESIDE: Final = f"""
SELECT json_build_object('public_id', incident.public_id, 'name', incident.name, 'status', incident.status,
    'kind', incident.kind, 'is_over', incident.resolved_at IS NOT NULL,
    'still_broken', link.still_broken_at IS NOT NULL, 'how', link.how)
FROM {_LINK} AS link JOIN {_INCIDENT} AS incident ON incident.id = link.incident_id WHERE link.conversation_id = c.id
"""
OF_INCIDENT: Final = f"""
SELECT link.conversation_id FROM {_LINK} AS link JOIN {_INCIDENT} AS incident ON incident.id = link.incident_id
WHERE incident.public_id = %(incident)s
"""


@dataclass(frozen=True, slots=True)
class Linked:
    """A linked conversation as agents see it. `delivery` is that of the newest message that told it of an update, ""
    where none did; `told` how many updates it was told of, `error` why the newest was not.
    """

    id: int
    subject: str
    status: str
    channel: str
    customer: str
    how: str
    linked_at: datetime
    still_broken_at: datetime | None
    told: int
    told_at: datetime | None
    delivery: str
    error: str


_LISTED: Final = f"""
SELECT c.id, coalesce(nullif(c.subject, ''), c.preview) AS subject, c.status, c.channel,
    coalesce(nullif(customer.name, ''), nullif(customer.email, ''), '#' || customer.id) AS customer,
    link.how, link.linked_at, link.still_broken_at,
    (SELECT count(*) FROM {_NOTICE} AS n WHERE n.link_id = link.id AND n.message_id IS NOT NULL) AS told,
    newest.at AS told_at, coalesce(message.delivery, '') AS delivery,
    coalesce(nullif(newest.error, ''), message.error, '') AS error
FROM {_LINK} AS link JOIN {_CONVERSATION} AS c ON c.id = link.conversation_id
JOIN {Customer._meta.db_table} AS customer ON customer.id = c.customer_id
LEFT JOIN LATERAL (SELECT notice.message_id, notice.error, notice.at FROM {_NOTICE} AS notice
    JOIN {IncidentUpdate._meta.db_table} AS said ON said.id = notice.update_id AND said.incident_id = link.incident_id
    WHERE notice.link_id = link.id ORDER BY notice.id DESC LIMIT 1) AS newest ON true
LEFT JOIN {Message._meta.db_table} AS message ON message.id = newest.message_id
WHERE link.incident_id = %(incident)s AND link.conversation_id > %(after)s AND {{seen}} AND {{which}}
ORDER BY link.conversation_id LIMIT %(limit)s
"""
_STILL_BROKEN: Final = "link.still_broken_at IS NOT NULL AND c.status NOT IN ('resolved', 'closed')"


def _listing(role: str, which: str) -> Prepared:
    name = f"linked_conversations_{role}_{'all' if which == 'true' else 'broken'}"
    return Prepared(name, _LISTED.format(seen=condition(User(role=role), "c.team_id"), which=which))


_LISTINGS: Final = {
    (role, only): _listing(role, _STILL_BROKEN if only else "true")
    for role in (User.Role.ADMIN, User.Role.AGENT)
    for only in (False, True)
}


def linked(
    incident: Incident, user: User, *, after: int = 0, limit: int = 50, only_still_broken: bool = False
) -> list[Linked]:
    """The conversations of an incident that this agent may see, by number, from beyond the number `after`. One
    statement. `only_still_broken`: those who wrote again after it was resolved and are not done yet.
    """
    statement = _LISTINGS[User.Role.ADMIN if user.is_admin else User.Role.AGENT, only_still_broken]
    given: dict[str, Any] = {"incident": incident.pk, "after": after, "limit": limit, "user": user.pk}
    return [Linked(**row) for row in statement.mappings(given)]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many conversations are linked, are done, are said to be broken still; how many were told of the newest
    update, and how many of these did not get it.
    """

    linked: int
    done: int
    still_broken: int
    told: int
    failed: int


def counts(incident: Incident) -> Counts:
    """Those of private teams are counted as well. Three statements."""
    is_done, is_broken = Q(conversation__status__in=DONE), Q(still_broken_at__isnull=False)
    found = IncidentConversation.objects.filter(incident=incident).aggregate(
        linked=Count("pk"), done=Count("pk", filter=is_done), still_broken=Count("pk", filter=is_broken & ~is_done)
    )
    did_fail = Q(message=None) | Q(message__delivery=Message.Delivery.FAILED)
    told = ConversationNotice.objects.filter(update=newest_told(incident)).aggregate(
        told=Count("pk"), failed=Count("pk", filter=did_fail)
    )
    return Counts(**found, **told)


def newest_told(incident: Incident) -> IncidentUpdate | None:
    """The newest words that customers are told of."""
    told = incident.updates.filter(published_at__isnull=False, tells=True)
    return told.order_by("-published_at", "-pk").first()


def choices(limit: int = 50) -> list[Incident]:
    """What a conversation can be linked to: whatever is not over, drafts included, newest first."""
    return list(Incident.objects.filter(resolved_at=None).order_by("-started_at", "-pk")[:limit])
