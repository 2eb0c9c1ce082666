"""`/ws/chat`: a visitor's socket. It brings what happens and carries what passes; what must last is posted (chat/api).

A plain ASGI application, like the agents' socket, and for the same reasons.
"""

import asyncio
import json
import logging
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import Error as DatabaseError
from django.utils import timezone

from chat import (
    chats,
    frames,
    leaving,
    limits,
    passing,
    queueing,
    sessions,
    visitor_feed,
    visitor_log,
    visitor_presence,
    welcome,
    whispers,
    widgets,
)
from chat.models import Chat, Visit
from chat.sockets import SUBPROTOCOL, Ended, Gone, Message, Receive, Scope, Send, is_own_origin, within
from chat.threads import ask
from chat.visitor_log import Frame
from chat.visitor_presence import Presence

logger = logging.getLogger(__name__)

HELLO_SECONDS: Final = 5.0
LARGEST_FRAME: Final = 32 * 1024
RATE, BURST = 5, 40
MOST_WAITING: Final = 400
SEND_SECONDS: Final = 10.0
# More often than this typing and the page are not passed on.
TYPING_EVERY: Final = 2.0
PAGE_EVERY: Final = 1.0
TRACK_EVERY: Final = 0.5
MOST_CAUGHT_UP: Final = 500

_of_address: Counter[str] = Counter()
_of_visit: Counter[int] = Counter()


async def visitor_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    await receive()
    address = (scope.get("client") or ("",))[0]
    if not is_own_origin(scope) or _of_address[address] >= limits.SOCKETS_OF_ADDRESS:
        await send({"type": "websocket.close", "code": frames.FORBIDDEN})
        return
    offered = scope.get("subprotocols") or []
    await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if SUBPROTOCOL in offered else None})
    _of_address[address] += 1
    try:
        await VisitorSocket(receive, send).run()
    finally:
        _of_address[address] -= 1
        if not _of_address[address]:
            del _of_address[address]


class VisitorSocket:
    """One page's socket, from hello to its end. `position` is the last public number that was sent on it."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.conversation_id = 0
        self.position = 0
        self.visit_id = self.widget_id = 0
        self.language = ""
        self.avail: Mapping[str, Any] | None = None
        self._receive, self._send = receive, send
        self._visit: Visit | None = None
        self._feed = visitor_feed.of_this_process()
        # While it catches up, what the feed brings is left to the catching up.
        self._is_ready = False
        self._waiting: deque[str] = deque()
        self._some = asyncio.Event()
        self._end: int | None = None
        self._presence = Presence()
        self._allowed, self._allowed_at = float(BURST), time.monotonic()
        self._typed_at = self._paged_at = self._tracked_at = 0.0

    async def run(self) -> None:
        parts = [asyncio.create_task(self._listen()), asyncio.create_task(self._write())]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in parts:
                if part.done():
                    part.result()
        except Gone:
            logger.debug("a visitor's page has gone")
        except Ended as ended:
            self._end = ended.code
        except DatabaseError as error:
            logger.warning("a visitor's socket is closed because of the database: %s", type(error).__name__)
            self._end = frames.COME_AGAIN
        finally:
            self._leave()
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            if self._end is not None:
                await within(SEND_SECONDS, self._send({"type": "websocket.close", "code": self._end}))
            await self._say_goodbye()

    def _leave(self) -> None:
        self._feed.leave(self)
        if self._visit is not None:
            _of_visit[self._visit.pk] -= 1
            if not _of_visit[self._visit.pk]:
                del _of_visit[self._visit.pk]

    async def _say_goodbye(self) -> None:
        if not self.conversation_id or any(self._feed.listeners_of(self.conversation_id)):
            return
        gone = Presence(at=time.time() - visitor_presence.LASTS_SECONDS - 1)
        await ask(partial(visitor_presence.tell_agents, self.conversation_id, gone))

    # As the feed knows it.

    def take(self, found: Sequence[Frame]) -> None:
        if not self._is_ready:
            return
        for one in found:
            if one["seq"] == self.position + 1:
                self.position = one["seq"]
                self.offer(one)

    def offer(self, frame: Mapping[str, Any]) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._end = frames.SLOW_DOWN
        else:
            self._waiting.append(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))
        self._some.set()

    def beat(self, head: int) -> None:
        self.offer({"t": "ping", "now": frames.milliseconds(timezone.now()), "head": head})

    def log_out(self) -> None:
        self._end = frames.LOGGED_OUT
        self._some.set()

    # What the page says.

    async def _listen(self) -> None:
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                hello = await self._next()
        except TimeoutError:
            raise Ended(frames.NO_HELLO) from None
        if hello["t"] != "hello":
            raise Ended(frames.NO_HELLO)
        if hello.get("v") != frames.VERSION:
            raise Ended(frames.OLD_VERSION)
        await self._welcome(hello)
        while True:
            given = await self._next()
            await self._do(given["t"], given)

    async def _next(self) -> Mapping[str, Any]:
        message: Message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Gone
        text = message.get("text")
        if not text or len(text) > LARGEST_FRAME or len(text.encode()) > LARGEST_FRAME:
            raise Ended(frames.BAD_FRAME)
        now = time.monotonic()
        self._allowed = min(BURST, self._allowed + (now - self._allowed_at) * RATE) - 1
        self._allowed_at = now
        if self._allowed < 0:
            raise Ended(frames.SLOW_DOWN)
        try:
            return frames.read(text)
        except ValueError:
            raise Ended(frames.BAD_FRAME) from None

    async def _welcome(self, hello: Mapping[str, Any]) -> None:
        token, public_id = hello.get("session"), _uuid(hello.get("conv"))
        if not isinstance(token, str):
            raise Ended(frames.LOGGED_OUT)
        after = _number(hello, "after")
        visit, chat = await ask(partial(_arrive, token, str(hello.get("key", "")), public_id))
        if _of_visit[visit.pk] >= limits.SOCKETS_OF_VISIT:
            raise Ended(frames.SLOW_DOWN)
        self._visit, self.visit_id = visit, visit.pk
        _of_visit[visit.pk] += 1
        self.widget_id = visit.widget_id
        if chat is not None:
            self.conversation_id = chat.conversation_id
            self.position = after
        self._feed.join(self)
        at = timezone.now()
        told, self.language = await ask(partial(_told, visit, chat, at))
        self.offer({"t": "welcome", **told})
        self.avail = told["avail"]
        if chat is not None:
            if chat.state == Chat.State.WAITING:
                self.offer(queueing.frame(await ask(partial(queueing.place_of, chat.pk))))
            await self._catch_up(after)
            await self._be(Presence(watching=bool(hello.get("panel")), at=time.time()))

    async def _catch_up(self, after: int) -> None:
        """Read what lies above `after`, then let the feed go on from there."""
        self._is_ready = False
        self.position = after
        sent = 0
        while True:
            found = (await ask(partial(visitor_log.after, {self.conversation_id: self.position}))).get(
                self.conversation_id, []
            )
            if not found:
                if not sent and after:
                    await self._check_is_behind(after)
                break
            sent += len(found)
            if sent > MOST_CAUGHT_UP:
                self._reset("old", await self._head())
                break
            for one in found:
                self.position = one["seq"]
                self.offer(one)
        self._is_ready = True
        # What came between the last look and now is looked for once more.
        self._feed.look_at([self.conversation_id])

    async def _check_is_behind(self, after: int) -> None:
        """A page that has seen more than there is has seen what a restored backup does not know: it begins anew."""
        head = await self._head()
        if after > head:
            self._reset("ahead", head)

    async def _head(self) -> int:
        heads = await ask(partial(visitor_log.heads, [self.conversation_id]))
        return heads.get(self.conversation_id, 0)

    def _reset(self, why: str, head: int) -> None:
        self.position = head
        self.offer(frames.reset(why, head))

    async def _do(self, name: str, given: Mapping[str, Any]) -> None:
        """Unknown frames are ignored: a page may be newer than this."""
        if name == "track":
            await self._track(given)
        if not self.conversation_id:
            return
        if name == "pong":
            await self._pong(_number(given, "head"))
        elif name == "typing":
            await self._typing(is_off=bool(given.get("off")))
        elif name == "read":
            await self._read(_number(given, "upto"))
        elif name == "vis":
            watching = bool(given.get("panel")) and bool(given.get("tab", True))
            await self._be(Presence(watching, time.time(), self._presence.url, self._presence.title))
        elif name == "page":
            await self._page(given)
        elif name == "sync":
            await self._catch_up(_number(given, "after"))

    async def _pong(self, head: int) -> None:
        await self._be(Presence(self._presence.watching, time.time(), self._presence.url, self._presence.title))
        if head < self.position and self._is_ready and head < self.position - MOST_WAITING:
            await self._catch_up(head)

    async def _typing(self, *, is_off: bool) -> None:
        now = time.monotonic()
        if not is_off and now - self._typed_at < TYPING_EVERY:
            return
        self._typed_at = 0.0 if is_off else now
        await ask(partial(passing.typing, self.conversation_id, is_off=is_off))

    async def _read(self, upto: int) -> None:
        if await ask(partial(chats.read_by_visitor, self.conversation_id, min(upto, self.position))):
            frame = {"t": "read", "conv": self.conversation_id, "by": "visitor", "upto": min(upto, self.position)}
            await ask(partial(whispers.whisper, self.conversation_id, whispers.AGENTS, frame))

    async def _page(self, given: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if self._visit is None or not self._visit.widget.sees_pages or now - self._paged_at < PAGE_EVERY:
            return
        self._paged_at = now
        page = passing.page_in(given)
        if page is not None and page[0] != self._presence.url:
            await ask(partial(passing.note_page, self._visit, *page))
            await self._be(Presence(self._presence.watching, time.time(), *page))

    async def _track(self, given: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if self._visit is None or now - self._tracked_at < TRACK_EVERY:
            return
        self._tracked_at = now
        await ask(partial(passing.track, self._visit, given, at=timezone.now(), conversation_id=self.conversation_id))

    async def _be(self, presence: Presence) -> None:
        changed = presence.watching != self._presence.watching or presence.url != self._presence.url
        is_first = not self._presence.at
        self._presence = presence
        await ask(partial(visitor_presence.put, self.conversation_id, presence))
        if changed or is_first:
            await ask(partial(visitor_presence.tell_agents, self.conversation_id, presence))

    async def _write(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                frame = self._waiting.popleft()
                if not await within(SEND_SECONDS, self._send({"type": "websocket.send", "text": frame})):
                    raise Ended(frames.SLOW_DOWN)
            if self._end is not None:
                raise Ended(self._end)


def _arrive(token: str, key: str, public_id: UUID | None) -> tuple[Visit, Chat | None]:
    at = timezone.now()
    visit = sessions.visit_of(token, at)
    if visit is None or (key and visit.widget.key != key):
        raise Ended(frames.LOGGED_OUT)
    sessions.note_use(visit, at)
    if public_id is None:
        return visit, None
    try:
        chat = chats.chat_of(visit, public_id)
    except chats.NotTheirs:
        raise Ended(frames.FORBIDDEN) from None
    leaving.arrived(chat, at)
    return visit, chat


def _told(visit: Visit, chat: Chat | None, at: datetime) -> tuple[dict[str, Any], str]:
    """How things stand, and the language in which."""
    return welcome.state(visit, chat, at=at), widgets.language_of(visit.language)


def _uuid(value: object) -> UUID | None:
    if value is None:
        return None
    try:
        return UUID(str(value))
    except ValueError:
        raise Ended(frames.BAD_FRAME) from None


def _number(given: Mapping[str, Any], name: str) -> int:
    try:
        return frames.number(given, name)
    except ValueError:
        raise Ended(frames.BAD_FRAME) from None
