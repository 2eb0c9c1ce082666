"""Answers to our own invitations, which calendars send when somebody accepts or declines (RFC 6047): told to the room
that has invited, and no ticket.
"""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.conversations.models import Conversation
from tickets.mail import threading
from tickets.mail.calendars import Answer, answer
from tickets.mail.outcome import Outcome
from tickets.mail.parsed import ParsedMail
from tickets.models import InboundEmail

_LARGEST = 64 * 1024
_TYPES = ("text/calendar", "application/ics")


def take(parsed: ParsedMail, *, at: datetime) -> tuple[Outcome | None, threading.Thread | None]:
    """What became of a mail that answers an invitation of ours. With words of the sender's own it is a message as well:
    then there is no outcome yet, but the thread where it belongs. Nothing of both for all other mail.
    """
    given = next(filter(None, map(answer, _calendars(parsed))), None)
    found = None if given is None else _told(given, at)
    if given is None or found is None:
        return None, None
    conversation = None if found[0] is None else Conversation.objects.filter(pk=found[0]).first()
    is_more = parsed.text.strip() not in ("", parsed.calendar)
    if given.has_written and is_more and conversation is not None:
        # Nobody but who was invited knows the entry's id.
        return None, threading.Thread(conversation, "token")
    return Outcome(InboundEmail.State.AUTOMATIC, f"invitation {given.says}", found[0]), None


def _told(given: Answer, at: datetime) -> tuple[int | None] | None:
    """The conversation that the answer belongs to, if it belongs to one; None where nobody has invited for that."""
    for name in settings.INVITATIONS:
        take: Callable[..., tuple[int | None] | None] = import_string(name)
        found = take(given.uid, given.says, by=given.by, revision=given.revision, words=given.words, at=at)
        if found is not None:
            return found
    return None


def _calendars(parsed: ParsedMail) -> list[str]:
    parts = [part for part in parsed.attachments if {part.declared_type, part.content_type} & set(_TYPES)]
    # UTF-8 is what calendars are written in (RFC 5545 §6); the answer itself is ASCII in any case.
    return [part.content[:_LARGEST].decode(errors="replace") for part in parts[:5]]
