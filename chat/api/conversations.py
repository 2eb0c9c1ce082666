"""What a visitor says and reads over HTTP: the twins of the socket's frames, and everything that must last."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy

from chat import chats, limits, passing, saying, visitor_log, visitor_presence, welcome
from chat.api.access import (
    Refused,
    VisitorRequest,
    address_of,
    body_of,
    email_in,
    number_of,
    text_of,
    uuid_of,
    uuids_of,
    visitor_view,
    within,
)
from chat.chats import FirstWords, NeedsAddress, NotEntitled, NothingSaid, NotTheirs, Said, SignFirst
from chat.models import Chat
from helpdesk.conversations import spared
from helpdesk.conversations.incoming import UnknownPlan
from helpdesk.events.actors import CUSTOMER
from helpdesk.ratings import giving

MOST_LISTED: Final = 30
PAGE: Final = 50
MOST_PAGE: Final = 200
LONGEST_COMMENT: Final = 2000


@visitor_view("GET", "POST")
def conversations(request: VisitorRequest) -> HttpResponse:
    """GET: the session's chats, newest first. POST: begin one with its first message."""
    if request.method == "GET":
        found = chats.chats_of(request.visit, MOST_LISTED)
        return JsonResponse({"conversations": [welcome.of_chat(chat) for chat in found]})
    given = body_of(request)
    counts = {limits.CHATS_OF_VISIT: str(request.visit.pk), limits.CHATS_OF_ADDRESS: address_of(request)}
    form = given.get("form") or {}
    if not isinstance(form, dict):
        raise Refused(422, "field", "form is an object.", field="form")
    words = FirstWords(
        text=text_of(given, "text", chats.LONGEST_TEXT),
        client_id=uuid_of(given, "cid"),
        uploads=uuids_of(given, "files", welcome.MOST_FILES),
        name=text_of(form, "name", 200).strip(),
        email=_address(text_of(form, "email", 320)),
        leisurely=given.get("mode") == "ticket",
    )
    asking = text_of(form, "asking", 32)
    said = _said(partial(chats.start, request.visit, words, at=now()), counts)
    if not said.is_repeated:
        spared.written_all_the_same(asking, said.chat.conversation)
    body = {**_ack(said, words.client_id), **welcome.of_chat(said.chat)}
    return JsonResponse(body, status=200 if said.is_repeated else 201)


@visitor_view("POST")
def messages(request: VisitorRequest, public_id: UUID) -> HttpResponse:
    """One message more."""
    given = body_of(request)
    counts = {limits.MESSAGES_OF_VISIT: str(request.visit.pk)}
    client_id = uuid_of(given, "cid")
    text = text_of(given, "text", chats.LONGEST_TEXT)
    uploads = uuids_of(given, "files", welcome.MOST_FILES)
    say = partial(saying.say, request.visit, public_id, text, client_id=client_id, uploads=uploads, at=now())
    said = _said(say, counts)
    return JsonResponse(_ack(said, client_id), status=200 if said.is_repeated else 201)


@visitor_view("GET")
def thread(request: VisitorRequest, public_id: UUID) -> HttpResponse:
    """The last frames (`before` a number), oldest first, and how far the chat has come."""
    chat = _chat(request, public_id)
    head = chat.conversation.last_public_seq
    before = number_of(request, "before", head + 1, 2**62)
    items = visitor_log.before(chat.conversation_id, before, number_of(request, "limit", PAGE, MOST_PAGE))
    read = {"agent": chat.agent_read, "visitor": chat.visitor_read}
    return JsonResponse({"head": head, "items": items, "read": read, "chat": welcome.of_chat(chat)})


@visitor_view("POST")
def read(request: VisitorRequest, public_id: UUID) -> HttpResponse:
    """The visitor has seen everything up to `upto`; for those without a socket."""
    chat = _chat(request, public_id)
    upto = body_of(request).get("upto")
    if not isinstance(upto, int) or isinstance(upto, bool) or not upto >= 0:
        raise Refused(422, "field", "upto is a whole number.", field="upto")
    chats.read_by_visitor(chat.conversation_id, min(upto, chat.conversation.last_public_seq))
    return HttpResponse(status=204)


@visitor_view("POST")
def whisper(request: VisitorRequest, public_id: UUID) -> HttpResponse:
    """The socket's `typing`, `page` and `track` for those without one: the same frame, and nothing of it is kept long.
    What is none of them is ignored, as there.
    """
    within(limits.WHISPERS_OF_VISIT, str(request.visit.pk))
    chat, given, at = _chat(request, public_id), body_of(request), now()
    if given.get("t") == "typing":
        passing.typing(chat.pk, is_off=bool(given.get("off")))
    elif given.get("t") == "track":
        passing.track(request.visit, given, at=at, conversation_id=chat.pk)
    elif given.get("t") == "page" and request.visit.widget.sees_pages:
        page = passing.page_in(given)
        if page is not None:
            passing.note_page(request.visit, *page)
            visitor_presence.move(chat.pk, *page)
    return HttpResponse(status=204)


@visitor_view("POST")
def end(request: VisitorRequest, public_id: UUID) -> HttpResponse:
    """The customer has no more to ask."""
    chats.end(_chat(request, public_id).conversation_id, actor=CUSTOMER, at=now())
    return HttpResponse(status=204)


@visitor_view("POST")
def rating(request: VisitorRequest, public_id: UUID) -> HttpResponse:
    """How it was: `score` from 1 to 5, and perhaps a `comment`; the last one counts."""
    chat = _chat(request, public_id)
    given = body_of(request)
    score = given.get("score")
    if not isinstance(score, int) or isinstance(score, bool) or not 1 <= score <= 5:
        raise Refused(422, "field", "score is a number from 1 to 5.", field="score")
    comment = text_of(given, "comment", LONGEST_COMMENT)
    if not chats.was_answered(chat):
        raise Refused(409, "unanswered", gettext_lazy("Nobody has answered yet, so there is nothing to rate."))
    try:
        giving.give(chat.conversation_id, score, comment, via="chat", at=now(), is_still_open=True)
    except giving.TooLate:
        raise Refused(409, "too_late", gettext_lazy("Ratings can be changed for 14 days.")) from None
    return HttpResponse(status=204)


def _chat(request: VisitorRequest, public_id: UUID) -> Chat:
    try:
        return chats.chat_of(request.visit, public_id)
    except NotTheirs:
        raise Refused(404, "conversation", "There is no such conversation.") from None


def _said(say: Callable[[], Said], counts: Mapping[limits.Limit, str]) -> Said:
    """Raises Refused. What fails for no fault of the visitor, and what had been said before, is not counted: it is sent
    again until it is taken.
    """
    for limit, key in counts.items():
        within(limit, key)
    try:
        said = say()
    except NotEntitled:
        detail = "Live chat is not part of your plan."
        raise Refused(403, "entitle", detail, offer=list(chats.OFFERS)) from None
    except SignFirst:
        raise Refused(403, "sign", gettext_lazy("Please log in on this page first.")) from None
    except NeedsAddress:
        raise Refused(422, "email", gettext_lazy("Where may we answer?"), field="email") from None
    except NothingSaid as error:
        raise Refused(422, "empty", str(error)) from None
    except NotTheirs:
        raise Refused(404, "conversation", "There is no such conversation.") from None
    except UnknownPlan:
        raise Refused(503, "setup", "This helpdesk has no default plan yet.") from None
    except Exception:
        # Whatever it is, it is our fault: it must not keep them out for minutes after it is over.
        _give_back(counts)
        raise
    if said.is_repeated:
        _give_back(counts)
    return said


def _give_back(counts: Mapping[limits.Limit, str]) -> None:
    for limit, key in counts.items():
        limits.give_back(limit, key)


def _ack(said: Said, client_id: UUID) -> dict[str, Any]:
    return {
        "conv": str(said.chat.public_id),
        "cid": str(client_id),
        "id": f"m_{said.message_id}",
        "seq": said.seq,
        "dup": said.is_repeated,
    }


def _address(text: str) -> str:
    """One address that mail can be sent to, or nothing. Raises Refused."""
    return email_in(text) if text.strip() else ""
