"""From events to the cases that conditions are asked about: a fixed number of statements, however many events."""

from collections import defaultdict
from collections.abc import Sequence

from helpdesk.conversations.models import Conversation, Message
from helpdesk.events.models import Event
from helpdesk.sla import calendars
from tickets.desk.conditions import LONGEST_TEXT, Case


def cases_of(events: Sequence[Event]) -> list[Case]:
    """The cases of these events, in their order; those without a conversation left out."""
    ids = {event.conversation_id for event in events if event.conversation_id is not None}
    conversations = _conversations(ids)
    said = _messages({event.data["message"] for event in events if "message" in event.data})
    tags, services, office = _tags(ids), _services(ids), calendars.office_hours()
    return [
        Case(
            conversation=conversations[event.conversation_id],
            event=event,
            text=said.get(event.data.get("message"), ""),
            tags=tags[event.conversation_id],
            services=services[event.conversation_id],
            is_open=office is None or office.is_open(event.at),
            by=event.actor_kind,
            is_automatic=bool(event.data.get("automatic")),
        )
        for event in events
        if event.conversation_id in conversations
    ]


def cases_of_conversations(rows: Sequence[Conversation]) -> list[Case]:
    """The cases of conversations in which nothing happens: idle ones."""
    ids = {row.pk for row in rows}
    conversations, tags, services = _conversations(ids), _tags(ids), _services(ids)
    return [
        Case(conversation=conversations[row.pk], event=None, tags=tags[row.pk], services=services[row.pk])
        for row in rows
        if row.pk in conversations
    ]


def _conversations(ids: set[int]) -> dict[int | None, Conversation]:
    rows = Conversation.objects.filter(pk__in=ids, merged_into=None).defer("search")
    return {row.pk: row for row in rows.select_related("customer", "organization")}


def _messages(ids: set[int]) -> dict[int | None, str]:
    from_rows = Message.objects.filter(pk__in=ids).values_list("pk", "text")
    return {pk: text[:LONGEST_TEXT] for pk, text in from_rows}


def _tags(ids: set[int]) -> dict[int | None, list[str]]:
    found: dict[int | None, list[str]] = defaultdict(list)
    links = Conversation.tags.through.objects.filter(conversation_id__in=ids)
    for pk, name in links.values_list("conversation_id", "tag__name"):
        found[pk].append(name)
    return found


def _services(ids: set[int]) -> dict[int | None, list[int]]:
    found: dict[int | None, list[int]] = defaultdict(list)
    links = Conversation.services.through.objects.filter(conversation_id__in=ids)
    for pk, service in links.values_list("conversation_id", "service_id"):
        found[pk].append(service)
    return found
