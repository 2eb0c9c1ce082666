"""What agents (and the house itself) write: replies, notes, acknowledgements; and sending them, once."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, F, Value, When

from helpdesk.conversations import handling, promises
from helpdesk.conversations.channel import Channel, File, Ready, channel
from helpdesk.conversations.files import attach
from helpdesk.conversations.incoming import lock, preview
from helpdesk.conversations.models import DONE, Conversation, Message, Status
from helpdesk.customers.lookup import columns, take
from helpdesk.customers.models import Customer, User
from helpdesk.events.actions import Fact, postpone, record
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.events.outcomes import Ambiguous, DeliveryError, RetryLater
from helpdesk.events.transactions import in_transaction

logger = logging.getLogger(__name__)

# A mail server that is away is waited for: these waits, the last one again and again, are two days.
BACKOFF_SECONDS = (5, 15, 30, 60, 120, 300, 600, 1800)
MAX_ATTEMPTS = 100
LOST_TRACK = "We were stopped while sending: it may or may not have left. Send it again if the customer has not got it."

DELIVER = "helpdesk.conversations.receivers.deliver"
# The channel of what goes to others than the customer; whatever customers are shown leaves it out.
FORWARD = "forward"
MOST_OVERTAKING = 20


class Overtaken(ValueError):
    """Somebody said something that the agent had not seen; `messages` are the ids, oldest first."""

    def __init__(self, messages: list[int]) -> None:
        super().__init__(f"messages {messages} came first")
        self.messages = messages


class Refused(ValueError):
    """The way out does not take an answer as it is. `words` tell the agent why; where `may_insist`, a reason given by
    who may lets it leave all the same.
    """

    def __init__(self, words: str, *, may_insist: bool = False) -> None:
        super().__init__(words)
        self.words, self.may_insist = words, may_insist


class NothingToSay(ValueError):
    """A reply or note without text and without a file."""


class NotFailed(ValueError):
    """Only a message whose delivery failed can be sent again."""


@transaction.atomic
def reply(
    conversation_id: int,
    user: User,
    text: str,
    *,
    at: datetime,
    html: str = "",
    files: Iterable[File] = (),
    client_id: UUID | None = None,
    status: str = Status.PENDING,
    via: str = "",
    seen: int | None = None,
    not_before: datetime | None = None,
    is_for_hand: bool = False,
) -> Message:
    """An agent answers: keeps the response promises, takes the ticket if nobody has, waits for the customer.

    The same `client_id` again returns the first message. `seen` is the newest message the agent knew of: somebody
    else's later one raises Overtaken. Until `not_before` the message stays here, where `take_back` reaches it. One that
    `is_for_hand` is said by somebody elsewhere, and keeps no promise before it is (`promises.answered`).
    Raises NothingToSay, Overtaken, and NotFilledIn for a status that needs its fields.
    """
    conversation = lock(conversation_id)
    known = _said_before(conversation, user, client_id)
    if known is not None:
        return known
    if seen is not None:
        check_overtaken(conversation, user, seen)
    message = _write(
        conversation,
        Message.Kind.OUTBOUND,
        text,
        at=at,
        user=user,
        html=html,
        files=files,
        client_id=client_id,
        via=via,
    )
    if conversation.assignee_id is None:
        handling.assign(conversation, user, actor=Actor.agent(user), at=at)
    if not is_for_hand:
        promises.answered(conversation, at=at)
    if conversation.status not in DONE:
        handling.change_status(conversation, status, actor=Actor.agent(user), at=at)
    _touch(conversation, message)
    event = record(_written(message, Actor.agent(user)), at=at)
    if not_before is not None:
        postpone(event, DELIVER, until=not_before)
    return message


def check_overtaken(conversation: Conversation, user: User, seen: int) -> None:
    """Raises Overtaken where somebody else said something after the message that the agent saw last."""
    said = conversation.messages.filter(pk__gt=seen, is_automatic=False).exclude(kind=Message.Kind.NOTE)
    later = list(said.exclude(agent=user).order_by("pk").values_list("pk", flat=True)[:MOST_OVERTAKING])
    if later:
        raise Overtaken(later)


@transaction.atomic
def forward(
    conversation_id: int,
    user: User,
    text: str,
    *,
    at: datetime,
    remark: str,
    html: str = "",
    files: Iterable[File] = (),
) -> Message:
    """Something of it goes to somebody outside: no answer to the customer, so it keeps no promise and changes nothing.

    Its way out is the channel FORWARD, which knows to whom. Raises NothingToSay.
    """
    conversation = lock(conversation_id)
    message = _write(
        conversation, Message.Kind.OUTBOUND, text, at=at, user=user, html=html, files=files, via=FORWARD, remark=remark
    )
    Conversation.objects.filter(pk=conversation.pk).update(updated_at=at)
    record(Fact("message.forwarded", conversation.pk, Actor.agent(user), data={"message": message.pk}), at=at)
    return message


@transaction.atomic
def note(
    conversation_id: int,
    user: User,
    text: str,
    *,
    at: datetime,
    files: Iterable[File] = (),
    client_id: UUID | None = None,
    via: str = "",
    remark: str = "",
) -> Message:
    """Something only the team sees. Raises NothingToSay."""
    conversation = lock(conversation_id)
    known = _said_before(conversation, user, client_id)
    if known is not None:
        return known
    message = _write(
        conversation,
        Message.Kind.NOTE,
        text,
        at=at,
        user=user,
        files=files,
        client_id=client_id,
        via=via,
        remark=remark,
    )
    Conversation.objects.filter(pk=conversation.pk).update(updated_at=at)
    record(Fact("note.written", conversation.pk, Actor.agent(user), data={"message": message.pk}), at=at)
    return message


@in_transaction
def write_automatically(
    conversation: Conversation,
    text: str,
    *,
    at: datetime,
    html: str = "",
    via: str = "",
    user: User | None = None,
    not_before: datetime | None = None,
) -> Message:
    """The house itself writes to the customer, or an agent one of their set phrases: keeps no promise and takes no
    ticket. The caller holds the lock. `via` is another way out than the conversation's channel.
    """
    message = _write(conversation, Message.Kind.OUTBOUND, text, at=at, user=user, html=html, is_automatic=True, via=via)
    event = record(_written(message, SYSTEM if user is None else Actor.agent(user)), at=at)
    if not_before is not None:
        postpone(event, DELIVER, until=not_before)
    return message


@in_transaction
def note_automatically(conversation: Conversation, text: str, *, at: datetime) -> Message:
    """The house itself leaves the team a note. The caller holds the lock."""
    message = _write(conversation, Message.Kind.NOTE, text, at=at, is_automatic=True)
    Conversation.objects.filter(pk=conversation.pk).update(updated_at=at)
    record(Fact("note.written", conversation.pk, SYSTEM, data={"message": message.pk}), at=at)
    return message


def _said_before(conversation: Conversation, user: User, client_id: UUID | None) -> Message | None:
    if client_id is None:
        return None
    return Message.objects.filter(conversation=conversation, agent=user, client_id=client_id).first()


def _write(
    conversation: Conversation,
    kind: str,
    text: str,
    *,
    at: datetime,
    user: User | None = None,
    html: str = "",
    files: Iterable[File] = (),
    client_id: UUID | None = None,
    is_automatic: bool = False,
    via: str = "",
    remark: str = "",
) -> Message:
    files = list(files)
    if not text.strip() and not files:
        raise NothingToSay("write something or add a file")
    message = Message.objects.create(
        conversation=conversation,
        kind=kind,
        author_kind=Message.Author.AGENT if user else Message.Author.SYSTEM,
        agent=user,
        text=text,
        full_text=text,
        html=html,
        at=at,
        via=via or conversation.channel,
        client_id=client_id,
        is_automatic=is_automatic,
        remark=remark[:200],
        delivery=Message.Delivery.PENDING if kind == Message.Kind.OUTBOUND else "",
    )
    if files:
        attach(message, files)
    return message


def _touch(conversation: Conversation, message: Message) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(
        updated_at=message.at, last_message_at=message.at, preview=preview(message.text)
    )


def _written(message: Message, actor: Actor) -> Fact:
    data = {"message": message.pk, "automatic": message.is_automatic}
    return Fact("message.written", message.conversation_id, actor, public=True, data=data)


@transaction.atomic
def retry(message_id: int, user: User, *, at: datetime) -> Message:
    """Send a failed message again. Raises NotFailed."""
    message = Message.objects.get(pk=message_id)
    lock(message.conversation_id)
    retried = Message.objects.filter(pk=message.pk, delivery=Message.Delivery.FAILED).update(
        delivery=Message.Delivery.PENDING, attempts=0, error=""
    )
    if not retried:
        raise NotFailed(f"message {message.pk} is {message.delivery}")
    record(Fact("message.retried", message.conversation_id, Actor.agent(user), data={"message": message.pk}), at=at)
    message.refresh_from_db()
    return message


def deliver(message_id: int, *, at: datetime) -> None:
    """Send one outbound message once: claim, call, record, each a commit of its own.

    A crash between call and record leaves `sending`; then the channel is asked whether it left, and where nobody can
    tell the message fails visibly instead of reaching the customer twice. Raises RetryLater for the outbox to wait.
    """
    message = _outbound(message_id)
    way_out = channel(message.via)
    if message.delivery == Message.Delivery.SENDING:
        _find_out(message, way_out, at)
    if message.delivery != Message.Delivery.PENDING:
        return
    ready = _prepared(message, way_out, at)
    if ready is not None and _claim(message):
        _send(message, ready, at)


_OUTBOUND = f"""
SELECT {columns(Message, "message")}, {columns(Conversation, "conversation")}, {columns(Customer, "customer")}
FROM {Message._meta.db_table} message
JOIN {Conversation._meta.db_table} conversation ON conversation.id = message.conversation_id
JOIN {Customer._meta.db_table} customer ON customer.id = conversation.customer_id
WHERE message.id = %s
"""


def _outbound(message_id: int) -> Message:
    """The message with its conversation and customer, in one prepared query. Raises Message.DoesNotExist."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTBOUND, [message_id])
        row = cursor.fetchone()
    if row is None:
        raise Message.DoesNotExist(f"there is no message {message_id}")
    message, row = take(Message, row)
    message.conversation, row = take(Conversation, row)
    message.conversation.customer, _ = take(Customer, row)
    return message


def _find_out(message: Message, way_out: Channel, at: datetime) -> None:
    """We were stopped between the call and its record."""
    left = way_out.has_sent(message)
    if left is None:
        _fail(message, LOST_TRACK, at)
    elif left:
        _sent(message, message.provider_id, at)
    else:
        Message.objects.filter(pk=message.pk).update(delivery=Message.Delivery.PENDING)
        message.delivery = Message.Delivery.PENDING


def _prepared(message: Message, way_out: Channel, at: datetime) -> Ready | None:
    """The message on its way, or None where it failed for good. Raises RetryLater: nothing has left yet."""
    try:
        return way_out.prepare(message, at=at)
    except DeliveryError as error:
        _judge(message, error, at)
    except Exception as error:
        logger.exception("message %s could not be prepared", message.pk)
        _judge(message, RetryLater(f"it could not be prepared: {error.__class__.__name__}: {error}"), at)
    return None


def _claim(message: Message) -> bool:
    mine = Message.objects.filter(pk=message.pk, delivery=Message.Delivery.PENDING)
    return bool(mine.update(delivery=Message.Delivery.SENDING))


def _send(message: Message, ready: Ready, at: datetime) -> None:
    try:
        provider_id = ready.send()
    except DeliveryError as error:
        _judge(message, error, at)
    except Exception as error:
        logger.exception("message %s broke while it was sent", message.pk)
        _judge(message, Ambiguous(f"{error.__class__.__name__}: {error}"), at)
    else:
        _sent(message, provider_id, at)


def _judge(message: Message, error: DeliveryError, at: datetime) -> None:
    attempts = message.attempts + 1
    if isinstance(error, RetryLater) and attempts < MAX_ATTEMPTS:
        Message.objects.filter(pk=message.pk).update(
            delivery=Message.Delivery.PENDING, error=str(error)[:2000], attempts=attempts
        )
        wait = timedelta(seconds=BACKOFF_SECONDS[min(attempts, len(BACKOFF_SECONDS)) - 1])
        # With a wait of its own the outbox waits as long as the message may be tried.
        raise RetryLater(str(error), error.after or wait) from error
    _fail(message, f"{error}. {LOST_TRACK}" if isinstance(error, Ambiguous) else str(error), at)


@transaction.atomic
def _sent(message: Message, provider_id: str, at: datetime) -> None:
    # What the customer has seen in the meantime is delivered, and stays so.
    delivery = Case(When(delivery=Message.Delivery.DELIVERED, then=F("delivery")), default=Value(Message.Delivery.SENT))
    Message.objects.filter(pk=message.pk).update(
        delivery=delivery, provider_id=provider_id[:998], error="", attempts=F("attempts") + 1
    )
    message.delivery = Message.Delivery.SENT
    record(Fact("message.sent", message.conversation_id, data={"message": message.pk}), at=at)


@transaction.atomic
def _fail(message: Message, error: str, at: datetime) -> None:
    logger.warning("message %s was not delivered: %s", message.pk, error)
    Message.objects.filter(pk=message.pk).update(
        delivery=Message.Delivery.FAILED, error=error[:2000], attempts=F("attempts") + 1
    )
    message.delivery = Message.Delivery.FAILED
    data = {"message": message.pk, "error": error[:300]}
    record(Fact("message.failed", message.conversation_id, data=data), at=at)
