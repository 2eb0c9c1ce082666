"""What happens, read once a process and handed to its sockets: by the log, in order, to those who may see it.

A hint says when to look. Without hints (Redis is dead) it looks every second; a heartbeat looks in any case. Who may
see a conversation is asked anew for every batch, for all readers in one statement; what is said is put into words once,
and the rows of lists that show what changed are drawn once for all who read them alike.
"""

import asyncio
import json
import logging
import time
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils.module_loading import import_string

from chat import agent_talk, frames, list_rows, log, open_threads, people, presence, whispers
from chat.frames import Fact
from chat.list_rows import Shown
from chat.log import Happened, Position
from chat.open_threads import OpenThread
from chat.presence import Seen
from chat.threads import ask
from helpdesk.conversations import visibility
from helpdesk.events import broadcast

logger = logging.getLogger(__name__)

BATCH: Final = 200
GATHER_SECONDS: Final = 0.04
# What follows a look within this time is looked at together: one change is told at once, a flood of them in turns.
TURN_SECONDS: Final = 0.08
ROWS_TURN_SECONDS: Final = 0.15
BEAT_SECONDS: Final = 20.0
# How often the log is looked at while no hints are heard, and while an older transaction holds back newer events.
UNHEARD_SECONDS: Final = 1.0
HELD_BACK_SECONDS: Final = 0.1
COUNT_SECONDS: Final = 2.0
# Counting may take so much of the time: with many agents the numbers come more rarely, and everything else goes on.
COUNT_SHARE: Final = 0.03

Watchers = Collection[tuple[int, int]]


class Reader(Protocol):
    """A socket, as the feed knows it."""

    user_id: int
    session: str
    rights: people.Rights
    visible: bool
    counts: Mapping[str, str]
    shown: Shown
    thread: OpenThread

    @property
    def opened(self) -> int:
        """The conversation that it has open, 0 for none."""

    def take(self, facts: Sequence[Fact], watchers: Watchers) -> None:
        """Pass on what happened, as far as it may be seen."""

    def offer(self, frame: str) -> None:
        """Send this when there is room for it; a reader without room is dropped."""

    def beat(self) -> None:
        """Say how far it has come."""

    def end(self, code: int) -> None:
        """Close it; nothing that still waits is sent."""


@dataclass(frozen=True, slots=True)
class News:
    """One look at the log. `notices` are frames for one agent each, `threads` what came to open conversations."""

    waits: bool
    facts: Sequence[Fact] = ()
    watchers: Watchers = ()
    sessions: Collection[str] = ()
    notices: Sequence[tuple[int, str]] = field(default=())
    threads: Mapping[OpenThread, open_threads.News] = field(default_factory=dict)


class Feed:
    """Runs while it has readers."""

    def __init__(self) -> None:
        self.position = log.BEGINNING
        self.seen: dict[int, tuple[Seen, ...]] = {}
        self._readers: set[Reader] = set()
        self._tasks: list[asyncio.Task[None]] = []
        # Between a look at the log and its handing on nobody joins: they would miss what it found.
        self._reading = asyncio.Lock()
        self._look = asyncio.Event()
        self._look_at_pages = asyncio.Event()
        self._uncounted = asyncio.Event()
        # Conversations whose rows are no longer as they were drawn.
        self._undrawn: set[int] = set()
        self._draw = asyncio.Event()
        self._hears = False

    async def join(self, reader: Reader) -> Position:
        """From now on the reader is told what happens; what happened up to the position returned it reads itself."""
        async with self._reading:
            if not self._tasks:
                self.position = await ask(log.head)
                parts = (self._follow, self._listen, self._watch_pages, self._count, self._keep_rows, self._beat)
                self._tasks = [asyncio.create_task(part()) for part in parts]
            self._readers.add(reader)
            return self.position

    def leave(self, reader: Reader) -> None:
        self._readers.discard(reader)
        if not self._readers:
            for task in self._tasks:
                task.cancel()
            self._tasks, self.seen, self._hears = [], {}, False

    def readers_of(self, user_id: int) -> int:
        return sum(reader.user_id == user_id for reader in self._readers)

    async def _follow(self) -> None:
        waits = False
        while True:
            pause = HELD_BACK_SECONDS if waits else BEAT_SECONDS if self._hears else UNHEARD_SECONDS
            await _wait(self._look, pause)
            waits = await _careful(self._read_all()) or False
            await asyncio.sleep(TURN_SECONDS)

    async def _read_all(self) -> bool:
        """Read and hand on all there is; whether more waits for an older transaction to end."""
        while True:
            async with self._reading:
                known = {reader.session: reader.user_id for reader in self._readers}
                open_now = {(one.user_id, one.thread) for one in self._readers if one.visible}
                news = await ask(partial(_read, self.position, known, open_now))
                if news.facts:
                    self.position = news.facts[-1].position
                    self._hand_on(news)
            if len(news.facts) < BATCH:
                return news.waits

    def _hand_on(self, news: News) -> None:
        for reader in list(self._readers):
            if reader.session in news.sessions:
                reader.take(news.facts, news.watchers)
        for user_id, frame in news.notices:
            for reader in [one for one in self._readers if one.user_id == user_id]:
                reader.offer(frame)
        self._tell_threads(news)
        self._uncounted.set()
        self._undrawn.update(one.conversation_id for one in news.facts if one.conversation_id)
        self._draw.set()

    def _tell_threads(self, news: News) -> None:
        changed = {one.conversation_id for one in news.facts}
        for reader in list(self._readers):
            number = reader.thread.conversation
            if not reader.visible or number not in changed or (number, reader.user_id) not in news.watchers:
                continue
            told = news.threads.get(reader.thread)
            # A page that has gone on meanwhile asks.
            reader.offer(told.frame if told else open_threads.ask(number))
            reader.thread = told.then if told else reader.thread

    async def _keep_rows(self) -> None:
        while True:
            await self._draw.wait()
            self._draw.clear()
            began = time.monotonic()
            await _careful(self._draw_rows())
            # A server that is slow at it has too much to do: the more changes are drawn at once.
            await asyncio.sleep(max(ROWS_TURN_SECONDS, 2 * (time.monotonic() - began)))

    async def _draw_rows(self) -> None:
        """Send everybody the rows of theirs that changed; what they may no longer see they are not sent."""
        stale, self._undrawn = self._undrawn, set()
        lists = {
            reader: reader.shown
            for reader in self._readers
            if reader.visible and (reader.shown.open_list or not stale.isdisjoint(reader.shown.rows))
        }
        if not lists or not stale:
            return
        try:
            news = await ask(partial(list_rows.news, set(lists.values()), stale))
        except Exception:
            self._undrawn |= stale
            self._draw.set()
            raise
        for reader, shown in lists.items():
            told = news.get(shown)
            if told and reader in self._readers:
                reader.offer(told.frame)
                reader.shown = reader.shown.with_more(told.drawn)

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (redis.RedisError, OSError) as error:
                logger.warning("no hints are heard (%s); the log is looked at every second", type(error).__name__)
            self._hears = False
            self._look.set()
            await asyncio.sleep(UNHEARD_SECONDS)

    async def _hear(self) -> None:
        connection = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1)
        async with connection, connection.pubsub() as hints:
            await hints.subscribe(broadcast.CHANNEL, whispers.CHANNEL)
            # Subscribed first, read second: nothing lies between.
            self._hears = True
            self._look.set()
            self._look_at_pages.set()
            while True:
                hint = await hints.get_message(ignore_subscribe_messages=True, timeout=BEAT_SECONDS)
                if hint is None:
                    await hints.ping()
                elif hint["type"] == "message" and hint["channel"].decode() == whispers.CHANNEL:
                    await _careful(self._pass_on(hint["data"]))
                elif hint["type"] == "message":
                    await self._note(hint["data"])

    async def _note(self, data: bytes) -> None:
        try:
            hint = json.loads(data)
        except ValueError:
            return  # not ours; a hint may get lost
        if broadcast.EVENT in hint:
            self._look.set()
        if broadcast.PRESENCE in hint:
            self._look_at_pages.set()
        if broadcast.PEOPLE in hint:
            await _careful(self.check_people())

    async def _pass_on(self, data: bytes) -> None:
        """How a visitor is goes to those who have their chat open, and may see it."""
        whisper = whispers.read(data)
        if whisper is None or whisper[1] != whispers.AGENTS:
            return
        number, _to, told = whisper
        users = {reader.user_id for reader in self._readers if reader.opened == number}
        if not users:
            return
        watchers = await ask(partial(visibility.watchers, [number], users))
        frame = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        for reader in list(self._readers):
            if reader.opened == number and (number, reader.user_id) in watchers:
                reader.offer(frame)

    async def check_people(self) -> None:
        """Close the sockets of sessions that have ended, and those of agents who may see more or less than before:
        they come back at once, and ask for everything anew.
        """
        readers = list(self._readers)
        rights, sessions = await ask(
            partial(_still_here, {one.user_id for one in readers}, [r.session for r in readers])
        )
        for reader in readers:
            if reader.session not in sessions or reader.user_id not in rights:
                reader.end(frames.LOGGED_OUT)
            elif rights[reader.user_id] != reader.rights:
                reader.end(frames.COME_AGAIN)

    async def _watch_pages(self) -> None:
        while True:
            typing = any(one.do != presence.VIEWING for agents in self.seen.values() for one in agents)
            await _wait(self._look_at_pages, 2.0 if typing else BEAT_SECONDS / 2)
            await _careful(self._look_who_is_there())
            await asyncio.sleep(GATHER_SECONDS)

    async def _look_who_is_there(self) -> None:
        users = {reader.user_id for reader in self._readers}
        seen, watchers = await ask(partial(_see, self.seen, users))
        changed = {number for number in seen.keys() | self.seen.keys() if seen.get(number) != self.seen.get(number)}
        self.seen = seen
        for number in changed:
            frame = frames.who(number, seen.get(number, ()))
            for reader in list(self._readers):
                if (number, reader.user_id) in watchers:
                    reader.offer(frame)

    async def _count(self) -> None:
        while True:
            await self._uncounted.wait()
            self._uncounted.clear()
            began = time.monotonic()
            for user_id in {reader.user_id for reader in self._readers if reader.visible}:
                await _careful(self._count_for(user_id))
            took = time.monotonic() - began
            await asyncio.sleep(max(COUNT_SECONDS, took / COUNT_SHARE))

    async def _count_for(self, user_id: int) -> None:
        counts = await ask(partial(count_for, user_id))
        for reader in [one for one in self._readers if one.user_id == user_id and one.counts != counts]:
            reader.counts = counts
            reader.offer(frames.frame("count", v=counts))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self._look.set()
            await _careful(self.check_people())
            for reader in list(self._readers):
                reader.beat()


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = WeakKeyDictionary()


def of_this_process() -> Feed:
    """The feed of the running event loop."""
    return _feeds.setdefault(asyncio.get_running_loop(), Feed())


def count_for(user_id: int) -> Mapping[str, str]:
    """The numbers beside the views, by the views' keys."""
    counts: Mapping[str, str] = import_string(settings.LIVE_DESK["counts"])(user_id)
    return counts


def _read(position: Position, readers: Mapping[str, int], open_now: Collection[tuple[int, OpenThread]]) -> News:
    # In this order: what commits between the two is heard of by its hint.
    waits = log.something_waits()
    events = log.after(position, BATCH)
    if not events:
        return News(waits)
    users = set(readers.values())
    watchers = visibility.watchers({one.conversation_id for one in events if one.conversation_id}, users)
    told = _notices(events, users)
    # What somebody is told of is a conversation like any other: who may not see it hears nothing. 0 is of none.
    notices = [
        (user, frames.frame("note", **note)) for user, number, note in told if not number or (number, user) in watchers
    ]
    notices += [(user, frame) for user, n, frame in agent_talk.reminders(events, users) if (n, user) in watchers]
    changed = {one.conversation_id for one in events}
    threads = {one for user, one in open_now if one.conversation in changed and (one.conversation, user) in watchers}
    sessions = people.open_sessions(readers)
    return News(waits, frames.facts(events), watchers, sessions, notices, open_threads.news(threads) if threads else {})


def _notices(events: Sequence[Happened], users: Collection[int]) -> Sequence[tuple[int, int, Mapping[str, Any]]]:
    try:
        told: Sequence[tuple[int, int, Mapping[str, Any]]] = import_string(settings.LIVE_DESK["notices"])(events, users)
    except Exception:
        logger.exception("notices could not be made; the events themselves are more important and go on")
        return ()
    return told


def _still_here(user_ids: Collection[int], keys: Collection[str]) -> tuple[dict[int, people.Rights], set[str]]:
    return people.rights(user_ids), people.open_sessions(keys)


def _see(known: Mapping[int, tuple[Seen, ...]], users: Collection[int]) -> tuple[dict[int, tuple[Seen, ...]], Watchers]:
    seen = presence.by_conversation(presence.everyone(), time.time())
    changed = {number for number in seen.keys() | known.keys() if seen.get(number) != known.get(number)}
    return seen, visibility.watchers(changed, users)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()


async def _careful(part: Coroutine[Any, Any, bool | None]) -> bool | None:
    """Runs one round. A database or Redis that fails costs that round: the next one reads from the same position."""
    try:
        return await part
    except (DatabaseError, redis.RedisError, OSError) as error:
        logger.warning("a look at the log failed: %s", type(error).__name__)
    except Exception:
        logger.exception("a look failed; without the next one pages would stand still")
    await asyncio.sleep(UNHEARD_SECONDS)
    return None
