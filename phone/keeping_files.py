"""Files that Twilio holds for us, each fetched once: the recording of a call, a picture of a text. What cannot be had
is said in the conversation, with where it is.
"""

from datetime import datetime
from typing import Final

from asgiref.sync import async_to_sync
from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.events.outcomes import DeliveryError, NeverRetry, RetryLater
from phone import accounts, callers, fetching
from phone.models import Picture, Recording

MOST_ATTEMPTS: Final = 10


def content(wanted: Recording | Picture, path: str, *, at: datetime) -> bytes | None:
    """The file at `path` of our account, None where it is given up for good. Raises RetryLater."""
    twilio = accounts.twilio()
    try:
        return async_to_sync(fetching.fetch)(twilio.address(path), twilio.authorization())
    except DeliveryError as error:
        if _failed(wanted, error, at):
            return None
        raise RetryLater(error.reason, error.after if isinstance(error, RetryLater) else None) from error


@transaction.atomic
def _failed(wanted: Recording | Picture, error: DeliveryError, at: datetime) -> bool:
    """Whether that was the last time."""
    found = type(wanted).objects.select_for_update(of=("self",)).get(pk=wanted.pk)
    found.attempts += 1
    found.error = error.reason[:300]
    is_final = isinstance(error, NeverRetry) or found.attempts >= MOST_ATTEMPTS
    if is_final:
        found.state = found.State.FAILED
        if found.conversation_id is not None:
            words = f"{found.CAME}, but it could not be fetched: {error.reason}. It is at Twilio as {found.sid}."
            conversations.note_automatically(callers.current(found.conversation_id), words, at=at)
    found.save(update_fields=["attempts", "error", "state"])
    return is_final
