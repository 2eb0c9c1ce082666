"""Files that came with a text message (MMS): fetched once from Twilio, and kept with the message."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from helpdesk.conversations import elsewhere
from helpdesk.conversations.channel import File
from helpdesk.conversations.content_types import sniff
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Message
from helpdesk.events.actions import Fact, record
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from phone import keeping_files
from phone.models import Picture

CAME: Final = "phone.picture_came"
"""A file of a text message is to be fetched: {picture}."""
_ENDINGS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp"}


def expect(message: Message, text_sid: str, sids: Sequence[str], *, at: datetime) -> None:
    """Write down what is to be fetched, within the caller's transaction; what is known already comes once."""
    for sid in sids:
        picture, is_new = Picture.objects.get_or_create(sid=sid, defaults={"text_sid": text_sid, "message": message})
        if is_new:
            record(Fact(CAME, message.conversation_id, data={"picture": picture.pk}), at=at)


@outside
def fetch(event: Event, at: datetime) -> None:
    """The handler of CAME. What cannot be fetched is said in a note, with where it is. Raises RetryLater."""
    picture = Picture.objects.filter(pk=event.data["picture"], state=Picture.State.WAITING).first()
    if picture is None:
        return
    content = keeping_files.content(picture, f"Messages/{picture.text_sid}/Media/{picture.sid}", at=at)
    if content is not None:
        keep(picture.pk, content, at=at)


@transaction.atomic
def keep(picture_id: int, content: bytes, *, at: datetime) -> None:
    """It becomes a file of its message. Doing it twice changes nothing."""
    picture = Picture.objects.select_for_update(of=("self",)).select_related("message").get(pk=picture_id)
    if picture.state == Picture.State.KEPT:
        return
    lock(picture.message.conversation_id)
    kind = sniff(content, "", "")
    file = File(f"picture-{picture.sid[-8:]}{_ENDINGS.get(kind, '')}", kind, content)
    elsewhere.completed(picture.message, [file], at=at)
    Picture.objects.filter(pk=picture.pk).update(state=Picture.State.KEPT, error="")
