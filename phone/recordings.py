"""Voicemail: fetched once from Twilio, and kept as the message it is."""

from datetime import datetime

from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File, Inbound
from helpdesk.conversations.content_types import sniff
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from phone import callers, keeping_files
from phone.models import Recording


@outside
def fetch(event: Event, at: datetime) -> None:
    """Fetch the recording that the event tells of. What cannot be fetched is said in a note. Raises RetryLater."""
    waiting = Recording.objects.select_related("call").filter(pk=event.data["recording"], state=Recording.State.WAITING)
    recording = waiting.first()
    if recording is None:
        return
    content = keeping_files.content(recording, f"Recordings/{recording.sid}.mp3", at=at)
    if content is not None:
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
