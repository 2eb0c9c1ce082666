"""What happens in the chats that visitors have open in this process: read by each chat's own numbers, handed to its
sockets.

The numbers have no gaps and are given under the conversation's lock, so nobody waits for other transactions. A hint
says which conversations to read; without hints (Redis is dead) it looks every second, and a heartbeat in any case.
Whether somebody is there to chat with is told as well, to all who were told otherwise.
"""

import asyncio
import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from chat import sessions, visitor_log, whispers, widgets
from chat.threads import ask
from chat.visitor_log import Frame
from helpdesk.events import broadcast

logger = logging.getLogger(__name__)

# What follows a look within this time is looked at together.
GATHER_SECONDS: Final = 0.01
UNHEARD_SECONDS: Final = 1.0
BEAT_SECONDS: Final = 20.0
# Agents come and go in bursts: whether somebody is there is looked at this seldom.
AVAILABILITY_SECONDS: Final = 1.0
# The pages that have no conversation yet.
NO_CHAT: Final = 0


class Listener(Protocol):
    """A visitor's socket, as the feed knows it. `conversation_id` is NO_CHAT before there is one; `avail` is what it
    was told last of whether somebody is there, None for those that are not told by the feed.
    """

    conversation_id: int
    position: int
    visit_id: int
    widget_id: int
    language: str
    avail: Mapping[str, Any] | None

    def take(self, frames: Sequence[Frame]) -> None:
        """Pass on what lies above the listener's position; the rest it has had."""

    def offer(self, frame: Mapping[str, Any]) -> None:
        """Send this when there is room for it."""

    def beat(self, head: int) -> None:
        """Say how far the chat has come."""

    def log_out(self) -> None:
        """The session has ended: nothing more is told."""


class VisitorFeed:
    """Runs while it has listeners."""

    def __init__(self) -> None:
        self._listeners: dict[int, set[Listener]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stale: set[int] = set()
        self._look = asyncio.Event()
        self._people = asyncio.Event()
        self._hears = False

    def join(self, listener: Listener) -> None:
        """From now on the listener is told what happens; what happened before it reads itself, afterwards."""
        if not self._tasks:
            parts = (self._follow, self._listen, self._beat, self._watch_people)
            self._tasks = [asyncio.create_task(part()) for part in parts]
        self._listeners.setdefault(listener.conversation_id, set()).add(listener)

    def leave(self, listener: Listener) -> None:
        there = self._listeners.get(listener.conversation_id)
        if there is None:
            return
        there.discard(listener)
        if not there:
            del self._listeners[listener.conversation_id]
        if not self._listeners:
            for task in self._tasks:
                task.cancel()
            self._tasks, self._hears = [], False

    def listeners_of(self, conversation_id: int) -> Collection[Listener]:
        return self._listeners.get(conversation_id, ())

    async def _follow(self) -> None:
        while True:
            try:
                async with asyncio.timeout(BEAT_SECONDS if self._hears else UNHEARD_SECONDS):
                    await self._look.wait()
            except TimeoutError:
                self._stale.update(await self._moved())
            self._look.clear()
            await self._hand_on()
            await asyncio.sleep(GATHER_SECONDS)

    async def _hand_on(self) -> None:
        stale, self._stale = self._stale & self._listeners.keys(), set()
        positions = {number: min(one.position for one in self._listeners[number]) for number in stale}
        if not positions:
            return
        try:
            found = await ask(partial(visitor_log.after, positions))
        except DatabaseError as error:
            logger.warning("a look at the chats failed: %s", type(error).__name__)
            self._stale |= stale
            await asyncio.sleep(UNHEARD_SECONDS)
            self._look.set()
            return
        for number, frames in found.items():
            for listener in list(self._listeners.get(number, ())):
                listener.take(frames)
            if len(frames) >= visitor_log.MOST:
                self.look_at([number])

    def look_at(self, conversation_ids: Collection[int]) -> None:
        self._stale.update(conversation_ids)
        self._look.set()

    async def _moved(self) -> set[int]:
        """The conversations that have come further than their listeners."""
        numbers = list(self._listeners)
        try:
            heads = await ask(partial(visitor_log.heads, numbers))
        except DatabaseError as error:
            logger.warning("a look at the chats failed: %s", type(error).__name__)
            return set()
        there = {number: self._listeners.get(number, ()) for number in heads}
        return {n for n, head in heads.items() if any(one.position < head for one in there[n])}

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (redis.RedisError, OSError) as error:
                logger.warning("no hints are heard (%s); chats are looked at every second", type(error).__name__)
            self._hears = False
            self._look.set()
            await asyncio.sleep(UNHEARD_SECONDS)

    async def _hear(self) -> None:
        connection = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1)
        async with connection, connection.pubsub() as hints:
            await hints.subscribe(broadcast.CHANNEL, whispers.CHANNEL)
            # Subscribed first, read second: nothing lies between.
            self._hears = True
            self.look_at(list(self._listeners))
            while True:
                hint = await hints.get_message(ignore_subscribe_messages=True, timeout=BEAT_SECONDS)
                if hint is None:
                    await hints.ping()
                elif hint["type"] == "message":
                    self._note(hint["channel"], hint["data"])

    def _note(self, channel: bytes, data: bytes) -> None:
        if channel.decode() == whispers.CHANNEL:
            self._pass_on(data)
            return
        try:
            told = json.loads(data).get(broadcast.CONVERSATIONS, ())
        except (ValueError, AttributeError):
            return  # not ours; a hint may get lost
        mine = self._listeners.keys() & set(told)
        if mine:
            self.look_at(mine)

    def _pass_on(self, data: bytes) -> None:
        whisper = whispers.read(data)
        if whisper is not None and whisper[1] == whispers.PANELS:
            self._people.set()
        if whisper is None or whisper[1] != whispers.VISITOR:
            return
        for listener in list(self._listeners.get(whisper[0], ())):
            listener.offer(whisper[2])

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self._log_out()
                heads = await ask(partial(visitor_log.heads, list(self._listeners)))
            except DatabaseError as error:
                logger.warning("a look at the chats failed: %s", type(error).__name__)
                continue
            for number, head in heads.items():
                for listener in list(self._listeners.get(number, ())):
                    listener.beat(head)
            for listener in list(self._listeners.get(NO_CHAT, ())):
                listener.beat(0)
            self.look_at(heads)

    async def _log_out(self) -> None:
        over = await ask(partial(sessions.over, {one.visit_id for one in self._everybody()}, timezone.now()))
        for one in [one for one in self._everybody() if one.visit_id in over]:
            one.log_out()

    def _everybody(self) -> Iterator[Listener]:
        for there in self._listeners.values():
            yield from there

    async def _watch_people(self) -> None:
        """Agents come and go, which hints tell; the office opens and closes, which every heartbeat finds."""
        while True:
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._people.wait()
            except TimeoutError:
                pass  # nobody said anything: that is when to look by oneself
            self._people.clear()
            try:
                await self._tell_who_is_there()
            except DatabaseError as error:
                logger.warning("a look at who is there failed: %s", type(error).__name__)
            await asyncio.sleep(AVAILABILITY_SECONDS)

    async def _tell_who_is_there(self) -> None:
        asked = {(one.widget_id, one.language) for one in self._everybody() if one.avail is not None}
        if not asked:
            return
        there = await ask(partial(widgets.avail_now, asked, at=timezone.now()))
        for one in list(self._everybody()):
            now = there.get((one.widget_id, one.language))
            if now is not None and one.avail is not None and one.avail != now:
                one.avail = now
                one.offer({"t": "avail", "avail": now})


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, VisitorFeed] = WeakKeyDictionary()


def of_this_process() -> VisitorFeed:
    """The feed of the running event loop."""
    return _feeds.setdefault(asyncio.get_running_loop(), VisitorFeed())
