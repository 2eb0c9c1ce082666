"""Voicemail: fetched once from Twilio, and kept as the message it is."""

from datetime import datetime
from typing import Final

from asgiref.sync import async_to_sync
from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File, Inbound
from helpdesk.conversations.content_types import sniff
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.outcomes import DeliveryError, NeverRetry, RetryLater
from phone import accounts, callers, fetching
from phone.models import Recording

MOST_ATTEMPTS: Final = 10


@outside
def fetch(event: Event, at: datetime) -> None:
    """Fetch the recording that the event tells of. What cannot be fetched is said in a note, with where it is."""
    waiting = Recording.objects.select_related("call").filter(pk=event.data["recording"], state=Recording.State.WAITING)
    recording = waiting.first()
    if recording is None:
        return
    twilio = accounts.twilio()
    try:
        url = twilio.address(f"Recordings/{recording.sid}.mp3")
        content = async_to_sync(fetching.fetch)(url, twilio.authorization())
    except DeliveryError as error:
        _failed(recording.pk, error, at)
        return
    keep(recording.pk, content, at=at)


@transaction.atomic
def keep(recording_id: int, content: bytes, *, at: datetime) -> None:
    """The file becomes a message of the call's conversation. Doing it twice changes nothing."""
    recording = Recording.objects.select_for_update().get(pk=recording_id)
    call = recording.call
    if recording.state == Recording.State.KEPT or call.conversation_id is None or call.customer is None:
        return
    name = f"voicemail-{recording.sid}.mp3"
    text = said(recording.seconds)
    if recording.transcript:
        text = f"{text}\n\n{recording.transcript}"
    message = conversations.receive_message(
        Inbound(
            channel=callers.CALL,
            customer=call.customer,
            at=at,
            text=text,
            external_id=f"recording:{recording.sid}",
            conversation_id=call.conversation_id,
            files=(File(name, sniff(content, name, "audio/mpeg"), content),),
            is_verified=True,
        )
    )
    recording.message, recording.state, recording.error = message, Recording.State.KEPT, ""
    recording.save(update_fields=["message", "state", "error"])


def said(seconds: int | None) -> str:
    if seconds is None:
        return "Voicemail"
    minutes, rest = divmod(seconds, 60)
    return f"Voicemail, {minutes} min {rest} s" if minutes else f"Voicemail, {rest} s"


def _failed(recording_id: int, error: DeliveryError, at: datetime) -> None:
    with transaction.atomic():
        recording = Recording.objects.select_for_update().get(pk=recording_id)
        recording.attempts += 1
        recording.error = error.reason[:300]
        is_final = isinstance(error, NeverRetry) or recording.attempts >= MOST_ATTEMPTS
        if is_final:
            recording.state = Recording.State.FAILED
            conversation_id = recording.call.conversation_id
            if conversation_id is not None:
                words = f"A message was left, but it could not be fetched: {error.reason}. It is at Twilio as "
                conversations.note_automatically(callers.current(conversation_id), f"{words}{recording.sid}.", at=at)
        recording.save(update_fields=["attempts", "error", "state"])
    if not is_final:
        after = error.after if isinstance(error, RetryLater) else None
        raise RetryLater(error.reason, after)
