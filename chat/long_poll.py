"""`GET /chat/api/conversations/<id>/events?after=&wait=&panel=`: the socket's frames for those whose proxy breaks
sockets; behind them how things stand: the place in the queue, and whether somebody is there.

Waiting costs no thread: an ASGI application of its own, in the event loop, beside the requests' threads.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs
from uuid import UUID

from django.db import Error as DatabaseError
from django.utils import timezone

from chat import chats, frames, leaving, queueing, sessions, visitor_feed, visitor_log, visitor_presence, widgets
from chat.models import Chat, Visit
from chat.sockets import Receive, Scope, Send
from chat.threads import ask
from chat.visitor_log import Frame
from chat.visitor_presence import Presence

logger = logging.getLogger(__name__)

LONGEST_WAIT: Final = 25
MOST_WAITING: Final = 2000
_PATH: Final = re.compile(r"^/chat/api/conversations/([0-9a-f-]{36})/events/?$")
_count = 0


def is_for(scope: Scope) -> bool:
    """Whether this application answers the request."""
    return scope["type"] == "http" and _PATH.match(scope["path"]) is not None


class _Waiter:
    """A request that waits, as the feed knows it. Whether somebody is there it asks itself, at its end."""

    avail: Mapping[str, Any] | None = None

    def __init__(self, conversation_id: int, position: int) -> None:
        self.conversation_id, self.position, self.visit_id = conversation_id, position, 0
        self.widget_id, self.language = 0, ""
        self.frames: list[Mapping[str, Any]] = []
        self.some = asyncio.Event()

    def take(self, frames: Sequence[Frame]) -> None:
        for one in frames:
            if one["seq"] == self.position + 1:
                self.position = one["seq"]
                self.offer(one)

    def offer(self, frame: Mapping[str, Any]) -> None:
        self.frames.append(frame)
        self.some.set()

    def beat(self, head: int) -> None:
        """It has a time of its own to end."""

    def log_out(self) -> None:
        """The next request is refused."""


async def long_poll(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    global _count
    if _count >= MOST_WAITING:
        await _answer(send, 503, {"code": "busy", "detail": "Too many wait already.", "retry": 5000})
        return
    _count += 1
    try:
        status, body = await _poll(scope, receive)
    except DatabaseError as error:
        logger.warning("nobody can be answered because of the database: %s", type(error).__name__)
        status, body = 503, {"code": "busy", "detail": "Please try again.", "retry": 2000}
    finally:
        _count -= 1
    await _answer(send, status, body)


async def _poll(scope: Scope, receive: Receive) -> tuple[int, dict[str, Any]]:
    if scope["method"] != "GET":
        return 405, {"code": "method", "detail": "This is for GET."}
    match = _PATH.match(scope["path"])
    asked = parse_qs(scope["query_string"].decode("latin-1"))
    after, wait = _number(asked, "after", 0), min(_number(asked, "wait", 0), LONGEST_WAIT)
    try:
        public_id = UUID(match.group(1) if match else "")
    except ValueError:
        return 404, {"code": "conversation", "detail": "There is no such conversation."}
    panel = asked.get("panel", [""])[0]
    arrived = await ask(partial(_arrive, _token(scope), public_id, panel))
    if isinstance(arrived, str):
        status = 401 if arrived == "session" else 404
        return status, {"code": arrived, "detail": "This is not yours, or no more."}
    visit, chat = arrived
    head = chat.conversation.last_public_seq
    if after > head:
        return 200, {"head": head, "frames": [frames.reset("ahead", head)]}
    found = await _frames(chat.pk, after, wait, receive)
    found["frames"] += await ask(partial(_how_it_stands, visit, chat))
    return 200, found


def _how_it_stands(visit: Visit, chat: Chat) -> list[Mapping[str, Any]]:
    """What sockets are told when it changes: a request may have missed the change."""
    known = widgets.config(visit.widget, widgets.language_of(visit.language), at=timezone.now())
    told: list[Mapping[str, Any]] = [{"t": "avail", "avail": known["avail"]}]
    if chat.state == Chat.State.WAITING:
        told.append(queueing.frame(queueing.place_of(chat.pk)))
    return told


async def _frames(conversation_id: int, after: int, wait: int, receive: Receive) -> dict[str, Any]:
    feed = visitor_feed.of_this_process()
    waiter = _Waiter(conversation_id, after)
    feed.join(waiter)
    try:
        # Joined first, read second: nothing lies between.
        waiter.take((await ask(partial(visitor_log.after, {conversation_id: after}))).get(conversation_id, []))
        if wait and not waiter.frames:
            gone = asyncio.ensure_future(_gone(receive))
            some = asyncio.ensure_future(waiter.some.wait())
            await asyncio.wait({gone, some}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            for task in (gone, some):
                task.cancel()
            await asyncio.gather(gone, some, return_exceptions=True)
    finally:
        feed.leave(waiter)
    return {"head": waiter.position, "frames": waiter.frames}


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _arrive(token: str, public_id: UUID, panel: str) -> tuple[Visit, Chat] | str:
    at = timezone.now()
    visit = sessions.visit_of(token, at)
    if visit is None:
        return "session"
    try:
        chat = chats.chat_of(visit, public_id)
    except chats.NotTheirs:
        return "conversation"
    leaving.arrived(chat, at)
    _be_there(chat.pk, panel)
    return visit, chat


def _be_there(conversation_id: int, panel: str) -> None:
    """Who asks is there, and with `panel=1` has the panel before their eyes; what says neither is no page of ours, and
    lets stand what a page has said.
    """
    before = visitor_presence.of([conversation_id]).get(conversation_id, Presence())
    if panel not in ("0", "1") and before.at:
        return
    is_watching = panel == "1"
    presence = Presence(is_watching, time.time(), before.url, before.title)
    visitor_presence.put(conversation_id, presence)
    if (before.watching, before.state) != (is_watching, presence.state):
        visitor_presence.tell_agents(conversation_id, presence)


def _token(scope: Scope) -> str:
    value = next((value for name, value in scope["headers"] if name == b"authorization"), b"").decode("latin-1")
    scheme, _blank, token = value.partition(" ")
    return str(token.strip()) if scheme.lower() == "bearer" else ""


def _number(asked: Mapping[str, Sequence[str]], name: str, default: int) -> int:
    text = asked.get(name, [""])[0]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else default


async def _answer(send: Send, status: int, body: Mapping[str, Any]) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body, ensure_ascii=False).encode()})
