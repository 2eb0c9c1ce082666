"""Visitors whom an incident concerns, for the room that knows of incidents (settings.INCIDENTS)."""

from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction
from django.http import HttpRequest

from chat import chats, limits
from chat.api.access import Refused, address_of, visit_of, within
from chat.chats import FirstWords, NeedsAddress, SignFirst
from chat.models import Visit
from helpdesk.conversations import handling, promises
from helpdesk.conversations.incidents import CannotAsk, Visitor
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import DONE, Status
from helpdesk.events.actors import SYSTEM


def visitor_of(request: HttpRequest) -> Visitor | None:
    """By the session's token, as everywhere in the visitors' interface."""
    visit = visit_of(request)
    return None if visit is None else Visitor(visit.customer, visit.is_verified, visit.language)


def ask(request: HttpRequest, incident: str, words: str, at: datetime) -> int:
    """The chat that goes on, or else a new conversation, which waits for the incident's end and for nobody. The same
    again is the same conversation. Raises CannotAsk.
    """
    visit = visit_of(request)
    if visit is None:
        raise CannotAsk(401, {"code": "session", "detail": "This session has ended or never was."})
    latest = next(iter(chats.chats_of(visit, 1)), None)
    if latest is not None and latest.conversation.status not in DONE:
        return latest.conversation_id
    return _begin(request, visit, incident, words, at)


def _begin(request: HttpRequest, visit: Visit, incident: str, words: str, at: datetime) -> int:
    given = FirstWords(text=words, client_id=uuid5(NAMESPACE_URL, f"incident:{incident}:{visit.pk}"), leisurely=True)
    try:
        within(limits.CHATS_OF_VISIT, str(visit.pk))
        within(limits.CHATS_OF_ADDRESS, address_of(request))
        with transaction.atomic():
            said = chats.start(visit, given, at=at)
            if not said.is_repeated:
                _put_by(said.chat.conversation_id, at)
    except Refused as refused:
        raise CannotAsk(refused.status, refused.body) from refused
    except (SignFirst, NeedsAddress) as error:
        raise CannotAsk(403, {"code": "who", "detail": "Say who you are in the chat first."}) from error
    return said.chat.conversation_id


def _put_by(conversation_id: int, at: datetime) -> None:
    conversation = lock(conversation_id)
    handling.change_status(conversation, Status.ON_HOLD, actor=SYSTEM, at=at)
    promises.agreed(conversation, at=at)
