"""How a text message of ours goes on: Twilio's states become its delivery, in whatever order they are told."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from helpdesk.conversations.models import Message
from helpdesk.events.actions import Fact, record
from helpdesk.events.outcomes import RetryLater
from helpdesk.events.twilio_calls import OPTED_OUT, explained
from phone import texts
from phone.models import TextMessage
from phone.told import TextState

# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values; a later state is never undone.
_ORDER: Final = {
    "accepted": 1, "scheduled": 1, "queued": 1, "sending": 2, "sent": 3, "undelivered": 4, "failed": 4, "canceled": 4,
    "delivered": 5, "read": 6,
}  # fmt: skip
FAILED: Final = ("failed", "undelivered", "canceled")
_ARRIVED: Final = ("delivered", "read")
_OWN_RECORD_FIRST: Final = timedelta(seconds=2)


@transaction.atomic
def note(state: TextState, *, at: datetime) -> None:
    """Take over a state of an answer to a customer. Raises RetryLater while we have not noted that it left."""
    message = Message.objects.select_for_update().filter(pk=state.message, kind=Message.Kind.OUTBOUND).first()
    if message is None or state.status not in _ORDER:
        return
    if message.delivery in (Message.Delivery.PENDING, Message.Delivery.SENDING):
        raise RetryLater("it is told of before our own record of it", _OWN_RECORD_FIRST)
    known, _is_new = TextMessage.objects.select_for_update().get_or_create(
        message=message, defaults={"sid": state.sid, "updated_at": at}
    )
    if known.sid and known.sid != state.sid:
        # Of an earlier attempt, or somebody's else: what it says is not about this one.
        return
    if _ORDER[state.status] <= _ORDER.get(known.status, 0):
        return
    known.status, known.error_code, known.updated_at = state.status, state.code, at
    known.save(update_fields=["status", "error_code", "updated_at"])
    if state.status in _ARRIVED:
        _arrived(message)
    elif state.status in FAILED:
        _failed(message, known, state, at)


def _arrived(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(delivery=Message.Delivery.DELIVERED, error="")


def _failed(message: Message, known: TextMessage, state: TextState, at: datetime) -> None:
    words = f"The text message did not arrive: {explained(state.code, state.status)}"
    if state.code == OPTED_OUT and known.to_number:
        texts.opt_out(known.to_number, "Twilio says so (21610)", at=at)
    Message.objects.filter(pk=message.pk).update(delivery=Message.Delivery.FAILED, error=words[:2000])
    data = {"message": message.pk, "error": words[:300]}
    record(Fact("message.failed", message.conversation_id, data=data), at=at)
