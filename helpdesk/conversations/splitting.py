"""Two requests in one conversation: the second one gets a conversation of its own, with the promises made to it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction

from helpdesk.conversations import promises
from helpdesk.conversations.answers import FORWARD
from helpdesk.conversations.incoming import add_tags, lock, preview
from helpdesk.conversations.models import Conversation, ConversationLink, Message, Status
from helpdesk.customers.models import User
from helpdesk.customers.services import mentioned_services, tag_names
from helpdesk.events.actions import Fact, record_all
from helpdesk.events.actors import Actor
from helpdesk.sla import clocks
from helpdesk.sla.models import Target

MAX_MOVED = 200
_LEAVING = (Message.Delivery.PENDING, Message.Delivery.SENDING)
_PARTS = f"""
WITH RECURSIVE part(id) AS (
    SELECT other_id FROM {ConversationLink._meta.db_table} WHERE kind = 'split' AND conversation_id = ANY(%s)
    UNION
    SELECT link.other_id FROM {ConversationLink._meta.db_table} link JOIN part ON link.conversation_id = part.id
    WHERE link.kind = 'split'
)
SELECT id FROM part
"""


class CannotSplit(ValueError):
    """These messages cannot become a conversation of their own; the text says why."""


@transaction.atomic
def split(
    conversation_id: int, message_ids: Collection[int], user: User, *, at: datetime, subject: str = ""
) -> Conversation:
    """Move messages, with their files, into a new conversation of the same customer; the new one.

    What happened stays where it happened: events are never moved. Clocks of the new one count from its first inbound
    message. Raises CannotSplit, Conversation.DoesNotExist.
    """
    source = lock(conversation_id)
    moved = _chosen(source, message_ids)
    said = _in_time(message for message in moved if message.kind != Message.Kind.NOTE)
    new = _open(source, said, subject, at)
    # The database takes along what the rooms know of a message (tickets: trigger `mail_follows_its_message`).
    Message.objects.filter(pk__in=[message.pk for message in moved]).update(conversation=new)
    ConversationLink.objects.create(kind=ConversationLink.Kind.SPLIT, conversation=source, other=new, at=at)
    _describe(new, said)
    _promise(new, said, at)
    stays = _in_time(source.messages.exclude(kind=Message.Kind.NOTE))
    _review_promises(source, said, stays, at)
    source.updated_at, source.last_message_at, source.preview = at, stays[-1].at, preview(stays[-1].text)
    source.save(update_fields=["updated_at", "last_message_at", "preview"])
    actor, ids = Actor.agent(user), [message.pk for message in moved]
    facts = [
        Fact("conversation.split", source.pk, actor, public=True, data={"into": new.pk, "messages": ids}),
        Fact("conversation.split_off", new.pk, actor, public=True, data={"from": source.pk, "messages": ids}),
    ]
    record_all(facts, at=at)
    new.refresh_from_db()
    return new


def parts_of(conversation_ids: Collection[int]) -> set[int]:
    """What was split off from these conversations, however many steps ago: nearly always nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTS, [list(conversation_ids)])
        return {row[0] for row in cursor.fetchall()}


def _chosen(source: Conversation, message_ids: Collection[int]) -> list[Message]:
    """The messages, held so that none leaves meanwhile. Raises CannotSplit."""
    wanted = set(message_ids)
    if len(wanted) > MAX_MOVED:
        raise CannotSplit(f"at most {MAX_MOVED} messages at a time")
    found = list(source.messages.filter(pk__in=wanted).select_for_update(no_key=True).order_by("pk"))
    if foreign := sorted(wanted - {message.pk for message in found}):
        raise CannotSplit(f"message {foreign[0]} is not in this conversation")
    if all(message.kind == Message.Kind.NOTE for message in found):
        raise CannotSplit("notes alone are no request: choose something that was said to or by the customer")
    for message in found:
        if message.delivery in _LEAVING:
            raise CannotSplit(f"message {message.pk} is just being sent: wait until it has left")
    if not source.messages.exclude(kind=Message.Kind.NOTE).exclude(pk__in=wanted).exists():
        raise CannotSplit("this would be all that was said: something must stay")
    return found


def _in_time(messages: Iterable[Message]) -> list[Message]:
    return sorted(messages, key=lambda message: (message.at, message.pk))


def _open(source: Conversation, said: Sequence[Message], subject: str, at: datetime) -> Conversation:
    """The new conversation, in the hands the old one is in."""
    first, last = (_asked(said) or said)[0], said[-1]
    new = Conversation.objects.create(
        channel=source.channel,
        owner=source.owner,
        subject=(subject.strip() or source.subject)[:500],
        status=_status(source, said),
        priority=source.priority,
        team_id=source.team_id,
        assignee_id=source.assignee_id,
        customer_id=source.customer_id,
        organization_id=source.organization_id,
        policy_id=source.policy_id,
        opened_at=first.at,
        updated_at=at,
        dispatched_at=max(first.at, source.dispatched_at or at) if source.assignee_id else None,
        last_message_at=last.at,
        preview=preview(last.text),
    )
    new.followers.set(source.followers.all())
    return new


def _asked(said: Iterable[Message]) -> list[Message]:
    return [message for message in said if message.kind == Message.Kind.INBOUND]


def _is_answer(message: Message) -> bool:
    """Whether a person of ours said it to the customer."""
    return message.kind == Message.Kind.OUTBOUND and not message.is_automatic and message.via != FORWARD


def _status(source: Conversation, said: Sequence[Message]) -> str:
    spoken = [message for message in said if not message.is_automatic] or said
    if _is_answer(spoken[-1]):
        return Status.PENDING
    is_untouched = source.assignee_id is None and not any(map(_is_answer, said))
    return Status.NEW if is_untouched else Status.OPEN


def _describe(new: Conversation, said: Sequence[Message]) -> None:
    """Services and tags as if the customer had written only this."""
    text = "\n".join([new.subject, *(message.text for message in _asked(said))])
    services = mentioned_services(text, new.organization)
    new.services.set(services)
    add_tags(new, tag_names(services))


def _promise(new: Conversation, said: Sequence[Message], at: datetime) -> None:
    """The clocks it would have, had it been a conversation of its own from its first word."""
    asked = _asked(said)
    if not asked:
        # Only our own words: no answer is owed, but somebody has to take it.
        _start(new, [Target.RESOLUTION, *([] if new.assignee_id else [Target.DISPATCH])], at=at)
        return
    promises.start_opening(new, at=asked[0].at)
    if new.dispatched_at is not None:
        promises.dispatched(new, at=new.dispatched_at)
    for message in said[said.index(asked[0]) + 1 :]:
        if _is_answer(message):
            promises.answered(new, at=message.at)
        elif message.kind == Message.Kind.INBOUND and not message.is_automatic:
            promises.start_answering(new, at=message.at)
    if new.status in promises.WAITING:
        promises.pause(new, at=said[-1].at)


def _review_promises(source: Conversation, gone: Sequence[Message], stays: Sequence[Message], at: datetime) -> None:
    """An answer owed to a message that went is owed there; here it is owed to the next one without an answer, if any.

    What was kept or broken stays on record.
    """
    left = {message.at for message in _asked(gone)} - {message.at for message in _asked(stays)}
    moved_on = clocks.open_clocks(source.pk, promises.ANSWERS).filter(started_at__in=left)
    targets = list(moved_on.values_list("target", flat=True))
    if not targets:
        return
    clocks.cancel(source.pk, targets, at=at)
    unanswered = _unanswered(stays)
    if unanswered:
        _start(source, targets, at=unanswered[0].at)
        if source.status in promises.WAITING:
            promises.pause(source, at=at)


def _unanswered(said: Iterable[Message]) -> list[Message]:
    """What a person asked since the last answer."""
    waiting: list[Message] = []
    for message in said:
        if _is_answer(message):
            waiting = []
        elif message.kind == Message.Kind.INBOUND and not message.is_automatic:
            waiting.append(message)
    return waiting


def _start(conversation: Conversation, targets: Iterable[str], *, at: datetime) -> None:
    promised = clocks.promises(conversation.policy_id, conversation.priority)
    clocks.start(conversation.pk, [promised[target] for target in targets if target in promised], at=at)
