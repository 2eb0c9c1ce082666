"""`/ws/agent`: one socket for each open page of the desk. Facts, states, rows; pages come from views (docs/live.md).

A plain ASGI application: Channels' consumers would hold a subscription in Redis for each socket, and could not open one
while Redis is dead.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeGuard
from uuid import uuid4

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import parse_cookie
from django.utils import timezone

from chat import agent_talk, agents, feed, frames, list_rows, log, people, presence
from chat.frames import Fact
from chat.list_rows import FURTHEST, Shown
from chat.log import Position
from chat.open_threads import LONGEST, OpenThread
from chat.presence import Here
from chat.threads import ask
from helpdesk.conversations import visibility
from helpdesk.customers.permissions import may_work
from helpdesk.events import broadcast
from helpdesk.static_files import build

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SUBPROTOCOL: Final = "desk.v1"
HELLO_SECONDS: Final = 5.0
LARGEST_FRAME: Final = 32 * 1024
# Frames a second, and how many may come at once.
RATE: Final = 10
BURST: Final = 40
# What may wait for a slow client before it is dropped, in frames, and how long one may take to leave, in seconds.
MOST_WAITING: Final = 500
SEND_SECONDS: Final = 10.0
MOST_PER_AGENT: Final = 20
MOST_CAUGHT_UP: Final = 500
# Of a longer list the page asks for the rest itself.
MOST_ROWS: Final = 500


class Gone(Exception):
    """The page has closed its socket, or was lost."""


class Ended(Exception):
    """This socket shall be closed, for the reason in `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


async def agent_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    await receive()
    if not is_own_origin(scope):
        await send({"type": "websocket.close", "code": frames.FORBIDDEN})
        return
    offered = scope.get("subprotocols") or []
    await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if SUBPROTOCOL in offered else None})
    try:
        arrival = await ask(partial(people.arrive, _session_key(scope)))
    except DatabaseError as error:
        logger.warning("nobody can be let in because of the database: %s", type(error).__name__)
        await send({"type": "websocket.close", "code": frames.COME_AGAIN})
        return
    if arrival is None:
        await send({"type": "websocket.close", "code": frames.LOGGED_OUT})
        return
    await AgentSocket(arrival, receive, send).run()


def is_own_origin(scope: Scope) -> bool:
    """Browsers always name the page's origin, and only ours may speak; what is no browser names none."""
    headers = dict(scope["headers"])
    origin: str = headers.get(b"origin", b"").decode("latin-1")
    if not origin:
        return True
    host: str = headers.get(b"host", b"").decode("latin-1")
    return origin.partition("://")[2] == host or origin == settings.PUBLIC_URL


def _session_key(scope: Scope) -> str:
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    return parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")


class AgentSocket:
    """One page's socket, from hello to its end."""

    def __init__(self, arrival: people.Arrival, receive: Receive, send: Send) -> None:
        self.user_id: int = arrival.user.pk
        self.session = arrival.session
        self.rights = arrival.rights
        self.visible = True
        self.counts: Mapping[str, str] = {}
        self.shown = Shown(self.user_id, settings.LANGUAGE_CODE, arrival.user.timezone)
        self.thread = OpenThread(0, "", may_work(arrival.user), settings.LANGUAGE_CODE, arrival.user.timezone)
        self._user = arrival.user
        self._receive, self._send = receive, send
        self._page = uuid4().hex
        self._here = Here(self.user_id, str(arrival.user))
        self._feed = feed.of_this_process()
        self._position = log.BEGINNING
        # While it catches up, what happens meanwhile is kept here; None afterwards.
        self._held: list[tuple[Sequence[Fact], feed.Watchers]] | None = []
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._allowed, self._allowed_at = float(BURST), time.monotonic()
        self._state = ""
        self._noted_at = 0.0

    async def run(self) -> None:
        parts = [asyncio.create_task(self._listen()), asyncio.create_task(self._write())]
        try:
            waited: list[asyncio.Future[Any]] = [*parts, self._over]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for part in parts:
                if part.done():
                    part.result()
        except Gone:
            logger.debug("a page of agent %s has gone", self.user_id)
        except Ended as ended:
            self.end(ended.code)
        except DatabaseError as error:
            logger.warning("a socket is closed because of the database: %s", type(error).__name__)
            self.end(frames.COME_AGAIN)
        finally:
            self._feed.leave(self)
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            if self._over.done():
                await within(SEND_SECONDS, self._send({"type": "websocket.close", "code": self._over.result()}))
            await self._tell(partial(presence.drop, self._page))
            await self._say_gone()

    async def _say_gone(self) -> None:
        """From now on it counts how long no page of theirs is open."""
        try:
            await ask(partial(agents.connected, self.user_id, at=timezone.now(), exactly=True))
        except DatabaseError as error:
            logger.debug("that a page has closed is not noted: %s", type(error).__name__)

    # As the feed knows it.

    @property
    def opened(self) -> int:
        return self._here.conversation

    def take(self, facts: Sequence[Fact], watchers: feed.Watchers) -> None:
        if self._held is not None:
            self._held.append((facts, watchers))
            if len(self._held) > MOST_WAITING:
                self.end(frames.SLOW_DOWN)
            return
        told = self._position.id
        for fact in facts:
            if fact.position <= self._position:
                continue
            self._position = fact.position
            if (fact.conversation_id, self.user_id) in watchers:
                self.offer(fact.text)
                told = fact.position.id
        if told != self._position.id:
            self.offer(frames.frame("cur", id=self._position.id))

    def offer(self, frame: str) -> None:
        try:
            self._waiting.put_nowait(frame)
        except asyncio.QueueFull:
            self.end(frames.SLOW_DOWN)

    def beat(self) -> None:
        self.offer(frames.frame("ping", now=frames.milliseconds(timezone.now()), head=self._position.id))

    def end(self, code: int) -> None:
        if not self._over.done():
            self._over.set_result(code)

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
        if self._feed.readers_of(self.user_id) >= MOST_PER_AGENT:
            raise Ended(frames.SLOW_DOWN)
        await self._welcome(_number(hello, "after"))
        while True:
            given = await self._next()
            await self._do(given["t"], given)

    async def _next(self) -> Mapping[str, Any]:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Gone
        text = message.get("text")
        if not text or len(text.encode()) > LARGEST_FRAME:
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

    async def _welcome(self, after: int) -> None:
        self._position = until = await self._feed.join(self)
        self.counts = await ask(partial(feed.count_for, self.user_id))
        seen = dict(self._feed.seen)
        mine = await ask(partial(visibility.watchers, list(seen), [self.user_id]))
        chat = await ask(partial(agent_talk.arrive, self._user, at=timezone.now()))
        self._state, self._noted_at = chat["state"] if chat else "", time.monotonic()
        self.offer(
            frames.frame(
                "welcome",
                now=frames.milliseconds(timezone.now()),
                head=until.id,
                me={"id": self.user_id, "name": str(self._user)},
                counts=self.counts,
                presence=[{"conv": n, "agents": frames.list_of(seen[n])} for n in seen if (n, self.user_id) in mine],
                chat=chat,
                build=build(),
            )
        )
        await self._catch_up(after, until)

    async def _catch_up(self, after: int, until: Position) -> None:
        """Read what happened above `after` and up to `until`, then what was held meanwhile."""
        if after:
            begin = await ask(partial(log.position_of, after))
            facts, watchers = await ask(partial(_read, begin, until, self.user_id)) if begin else ([], ())
            held, self._held = self._held or [], None
            if begin is None or len(facts) > MOST_CAUGHT_UP:
                self.offer(frames.frame("reset", why="old", head=until.id))
            else:
                self._position = begin
                self.take(facts, watchers)
        else:
            held, self._held = self._held or [], None
        for facts, watchers in held:
            self.take(facts, watchers)

    async def _do(self, name: str, given: Mapping[str, Any]) -> None:
        """Unknown frames are ignored: a page may be newer than this."""
        now = time.time()
        if name == "pong":
            await self._be(self._here)
            await self._note()
        elif name == "vis":
            self.visible = bool(given.get("tab"))
            await self._be(replace(self._here, visible=self.visible))
            if self.visible:
                await self._tell_state(partial(agent_talk.at_work, self._user, at=timezone.now()))
        elif name == "input":
            await self._tell_state(partial(agent_talk.at_work, self._user, at=timezone.now()))
        elif name == "avail":
            await self._tell_state(partial(agent_talk.choose, self._user, given.get("state"), at=timezone.now()))
        elif name == "focus":
            await self._focus(_number(given, "conv"))
        elif name == "typing" and _number(given, "conv") == self._here.conversation != 0:
            until = 0.0 if given.get("off") else now + presence.TYPING_SECONDS
            await self._be(replace(self._here, typing_until=until, internal=bool(given.get("internal"))))
            if not given.get("internal"):
                is_off = bool(given.get("off"))
                await ask(partial(agent_talk.typing, self.opened, self.user_id, is_off=is_off))
        elif name == "read" and _number(given, "conv") == self._here.conversation != 0:
            await ask(partial(agent_talk.read, self.opened, _number(given, "upto")))
        elif name == "list":
            await self._show(given)
        elif name == "thread":
            self._go_on(given)
        elif name == "sync":
            self._held = []
            await self._catch_up(_number(given, "after"), self._position)

    async def _note(self) -> None:
        """Once a minute: this page is still open."""
        if time.monotonic() - self._noted_at < agents.NOTED_EVERY.total_seconds():
            return
        self._noted_at = time.monotonic()
        await self._tell_state(partial(agent_talk.there, self._user, at=timezone.now()))

    async def _tell_state(self, state: Callable[[], str]) -> None:
        """Whether they take chats, when that has changed: by their word, by their silence or by their coming back."""
        now = await ask(state)
        if now and now != self._state:
            self._state = now
            self.offer(frames.frame("me", state=now))

    async def _focus(self, conversation: int) -> None:
        if conversation and not await ask(partial(visibility.may_see, self._user, conversation)):
            return
        await self._be(replace(self._here, conversation=conversation, typing_until=0.0))

    async def _show(self, given: Mapping[str, Any]) -> None:
        rows = given.get("rows")
        if not isinstance(rows, list) or not all(type(row) is int and 0 < row < 2**63 for row in rows):
            raise Ended(frames.BAD_FRAME)
        upto, view, language = given.get("upto", FURTHEST), given.get("view"), given.get("lang")
        if type(upto) is not int or abs(upto) > FURTHEST:
            raise Ended(frames.BAD_FRAME)
        language = language if _is_ours(language) else self.shown.language
        found = await ask(partial(list_rows.opened, self.user_id, view)) if isinstance(view, str) else None
        shown = frozenset(rows[:MOST_ROWS])
        self.shown = replace(self.shown, language=language, rows=shown, open_list=found, upto=upto)

    def _go_on(self, given: Mapping[str, Any]) -> None:
        """The page shows this conversation up to here. Who may see it is asked when there is something to tell."""
        after, language = given.get("after"), given.get("lang")
        if not isinstance(after, str) or len(after) > LONGEST:
            raise Ended(frames.BAD_FRAME)
        language = language if _is_ours(language) else self.thread.language
        self.thread = replace(self.thread, conversation=_number(given, "conv"), after=after, language=language)

    async def _be(self, here: Here) -> None:
        self._here = replace(here, until=time.time() + presence.LASTS_SECONDS)
        await self._tell(partial(presence.put, self._page, self._here))

    async def _tell(self, what: Callable[[], None]) -> None:
        """Presence is no promise: without Redis nobody is seen."""
        try:
            await ask(what)
        except (redis.RedisError, OSError) as error:
            logger.debug("presence is not known: %s", type(error).__name__)
        else:
            broadcast.presence_changed()

    async def _write(self) -> None:
        while True:
            frame = await self._waiting.get()
            if not await within(SEND_SECONDS, self._send_all(frame)):
                raise Ended(frames.SLOW_DOWN)

    async def _send_all(self, frame: str) -> None:
        """This, and what waits behind it by then: one timer for what leaves together."""
        until = time.monotonic() + SEND_SECONDS / 2
        await self._send({"type": "websocket.send", "text": frame})
        while not self._waiting.empty() and time.monotonic() < until:
            await self._send({"type": "websocket.send", "text": self._waiting.get_nowait()})


def _is_ours(language: object) -> TypeGuard[str]:
    return isinstance(language, str) and language in dict(settings.LANGUAGES)


def _number(given: Mapping[str, Any], name: str) -> int:
    try:
        return frames.number(given, name)
    except ValueError:
        raise Ended(frames.BAD_FRAME) from None


def _read(begin: Position, until: Position, user_id: int) -> tuple[Sequence[Fact], feed.Watchers]:
    events = log.after(begin, MOST_CAUGHT_UP + 1, until=until)
    return frames.facts(events), visibility.watchers(
        {one.conversation_id for one in events if one.conversation_id}, [user_id]
    )


async def within(seconds: float, sending: Awaitable[None]) -> bool:
    """Whether it left in time; False as well where the other side has gone."""
    try:
        async with asyncio.timeout(seconds):
            await sending
    except (TimeoutError, OSError, RuntimeError):
        return False  # uvicorn says RuntimeError for a socket that is closed
    return True
