"""What happens to messages where they were said: on a network they are edited and deleted, and our own people answer
there without us. The conversation follows; each change is told once by an event.
"""

from collections.abc import Iterable
from datetime import datetime

from helpdesk.conversations import promises
from helpdesk.conversations.channel import File
from helpdesk.conversations.files import attach
from helpdesk.conversations.incoming import preview
from helpdesk.conversations.models import Conversation, Message
from helpdesk.events.actions import Fact, record
from helpdesk.events.transactions import in_transaction

ANSWERED_THERE = "Answered on the network itself, not from here."
DELETED_THERE = "Deleted by its author."


@in_transaction
def answered_elsewhere(
    conversation: Conversation, text: str, *, at: datetime, external_id: str, files: Iterable[File] = ()
) -> Message:
    """One of us answered the customer on the network's own page: that keeps the promise of an answer. The same
    `external_id` is kept once. The caller holds the lock.
    """
    known = Message.objects.filter(conversation=conversation, external_id=external_id).first()
    if known is not None:
        return known
    message = Message.objects.create(
        conversation=conversation,
        kind=Message.Kind.OUTBOUND,
        author_kind=Message.Author.SYSTEM,
        text=text,
        full_text=text,
        at=at,
        via=conversation.channel,
        external_id=external_id,
        provider_id=external_id,
        remark=ANSWERED_THERE,
        delivery=Message.Delivery.SENT,
    )
    attach(message, files)
    promises.answered(conversation, at=at)
    Conversation.objects.filter(pk=conversation.pk).update(updated_at=at, last_message_at=at, preview=preview(text))
    record(Fact("message.answered_elsewhere", conversation.pk, public=True, data={"message": message.pk}), at=at)
    return message


@in_transaction
def edited(message: Message, text: str, *, at: datetime) -> None:
    """Its author changed the words; what they were before is the channel's to keep. The caller holds the lock."""
    Message.objects.filter(pk=message.pk).update(text=text, full_text=text, html="")
    record(Fact("message.edited", message.conversation_id, public=True, data={"message": message.pk}), at=at)


@in_transaction
def deleted(message: Message, *, at: datetime) -> None:
    """Its author took it away: the words go, that something was said stays. The caller holds the lock."""
    Message.objects.filter(pk=message.pk).update(text="", full_text="", html="", remark=DELETED_THERE)
    record(Fact("message.deleted", message.conversation_id, public=True, data={"message": message.pk}), at=at)


@in_transaction
def restored(message: Message, text: str, *, at: datetime) -> None:
    """What was deleted is there again. The caller holds the lock."""
    Message.objects.filter(pk=message.pk).update(text=text, full_text=text, remark="")
    record(Fact("message.edited", message.conversation_id, public=True, data={"message": message.pk}), at=at)


@in_transaction
def completed(message: Message, files: Iterable[File], *, at: datetime) -> None:
    """Files of a message that came after its words. The caller holds the lock and knows that they are not there yet."""
    attach(message, files)
    record(Fact("message.completed", message.conversation_id, public=True, data={"message": message.pk}), at=at)


@in_transaction
def reported(message: Message, delivery: str, *, at: datetime, error: str = "") -> bool:
    """The network says what became of a message that had left; whether that was news. It never goes backwards."""
    before = {
        Message.Delivery.SENT: [Message.Delivery.SENDING],
        Message.Delivery.DELIVERED: [Message.Delivery.SENDING, Message.Delivery.SENT],
        Message.Delivery.FAILED: [Message.Delivery.SENDING, Message.Delivery.SENT],
    }[Message.Delivery(delivery)]
    moved = Message.objects.filter(pk=message.pk, delivery__in=before).update(delivery=delivery, error=error[:2000])
    if not moved:
        return False
    kind = "message.failed" if delivery == Message.Delivery.FAILED else f"message.{delivery}"
    data = {"message": message.pk, "error": error[:300]} if error else {"message": message.pk}
    record(Fact(kind, message.conversation_id, data=data), at=at)
    return True
