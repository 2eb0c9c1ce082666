"""The hint to open pages that something happened: the newest event's id, no more, and it may get lost.

Who gets it reads the log by a cursor (`chat.log`), so a lost hint costs a moment and never an event. Publishing is a
thread's work: a change does not wait for Redis, not even for one that is dead.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Collection
from functools import cache
from typing import Final

import redis
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

CHANNEL: Final = "helpdesk:hints"
# Hints of a burst are gathered: what follows the first within this time goes out as one.
GATHER_SECONDS: Final = 0.02
# A Redis that did not answer is left alone for so long.
PATIENCE_SECONDS: Final = 5.0
# What a dead Redis leaves unsaid is not kept without bound: those conversations are found by the next heartbeat.
MOST_NAMED: Final = 10_000

EVENT: Final = "event"
CONVERSATIONS: Final = "conversations"
PEOPLE: Final = "people"
PRESENCE: Final = "presence"


def event_recorded(event_id: int, conversations: Collection[int] = ()) -> None:
    """There is something to read, up to this event, of these conversations. Call it once the event is committed."""
    _publisher.say(EVENT, event_id, conversations)


def people_changed() -> None:
    """Somebody's session, role or teams changed: sockets look again who may be there, after this transaction."""
    transaction.on_commit(lambda: _publisher.say(PEOPLE, 1), robust=True)


def presence_changed() -> None:
    """Somebody came to a conversation, left it or began to type."""
    _publisher.say(PRESENCE, 1)


def client() -> redis.Redis:
    """A connection that never keeps anybody waiting for long; tried once more where the server was started anew."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=0.3, socket_timeout=1, retry=Retry(NoBackoff(), 1)
    )


@cache
def shared() -> redis.Redis:
    """This process's one of them: its connections are taken and given back by whichever thread asks."""
    return client()


class _Publisher:
    """One thread a process, begun with the first hint."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._waiting: dict[str, int] = {}
        self._conversations: set[int] = set()
        self._thread: threading.Thread | None = None

    def say(self, what: str, number: int, conversations: Collection[int] = ()) -> None:
        with self._lock:
            self._waiting[what] = max(number, self._waiting.get(what, 0))
            if len(self._conversations) < MOST_NAMED:
                self._conversations.update(conversations)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="hints", daemon=True)
                self._thread.start()
        self._work.set()

    def _run(self) -> None:
        connection = client()
        while True:
            self._work.wait()
            self._work.clear()
            with self._lock:
                waiting, self._waiting = self._waiting, {}
                conversations, self._conversations = sorted(self._conversations), set()
            try:
                named = {CONVERSATIONS: conversations} if conversations else {}
                connection.publish(CHANNEL, json.dumps({**waiting, **named}))
            except (redis.RedisError, OSError) as error:
                logger.warning("no hints to open pages (%s); they look by themselves", type(error).__name__)
                # Said once it is heard again: who listens by then does not look by themselves any more.
                time.sleep(PATIENCE_SECONDS)
                connection = client()
                for what, number in waiting.items():
                    self.say(what, number, conversations)
            time.sleep(GATHER_SECONDS)


_publisher = _Publisher()


def _begin_anew() -> None:
    """After a fork: the parent's thread is not here."""
    global _publisher
    _publisher = _Publisher()


os.register_at_fork(after_in_child=_begin_anew)
