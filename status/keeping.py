"""The public answers of this process, kept: everything that is asked for is made once a change and language.

A thread looks at the page's version and reads what is shown when that has risen, or a minute has gone by (uptime grows
by itself). What was read last lies in DATA_DIR as well, so that a process that starts without PostgreSQL has something
to show. Without PostgreSQL what there is stays.
"""

import gzip
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import DatabaseError, InterfaceError, connection

from helpdesk.prepared import Prepared
from status import answers, serving, snapshot
from status.answers import Asked
from status.models import StatusPage
from status.snapshot import Snapshot

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.25
READ_ANEW_SECONDS: Final = 60.0
AFTER_AN_ERROR_SECONDS: Final = 1.0
# Answers kept of one generation: those of all pages and languages, and of as many incidents as people read at once.
MOST_KEPT: Final = 2000
# How many of what was asked for is made anew before anybody asks again.
MOST_MADE_AHEAD: Final = 60
_FEW_BYTES: Final = 200

_VERSION: Final = Prepared("status_version", f"SELECT version FROM {StatusPage._meta.db_table} WHERE id = 1")
Headers = list[tuple[bytes, bytes]]
Key = tuple[Asked, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer, ready to be sent as it is or packed. `tags` are the validators of both."""

    plain: bytes
    packed: bytes
    tags: tuple[bytes, bytes]
    headers: tuple[Headers, Headers]
    unchanged: tuple[Headers, Headers]


@dataclass(frozen=True, slots=True)
class Generation:
    """What was read at one moment, and what has been made of it; the answers asked for last stand last."""

    shown: Snapshot
    made_at: float
    answers: "OrderedDict[Key, Kept]" = field(default_factory=OrderedDict)


class NothingToShow(RuntimeError):
    """There is neither a database nor anything kept."""


class Keeper:
    """One for a process. `start()` before anything else; `now` is the clock of what is shown."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._file = folder / "snapshot.json"
        self._now = now
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.generation: Generation | None = None

    def start(self) -> None:
        """Have something to show, and go on looking. Raises NothingToShow; then it may be tried again."""
        with self._lock:
            if self._thread is not None:
                return
            self.generation = Generation(self._first(), time.monotonic())
            self._thread = threading.Thread(target=self._run, name="status page", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def make(self, asked: Asked, language: str) -> Kept | None:
        """Make an answer that is not kept yet, and keep it; None where there is nothing at this address.

        Called on a thread that may wait. Raises DatabaseError for what is too old to be kept, without a database.
        """
        generation = self.generation
        assert generation is not None, "it has been started"
        try:
            return _make(generation, asked, language)
        finally:
            connection.close_if_unusable_or_obsolete()

    def _first(self) -> Snapshot:
        try:
            return self._read()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the status page is shown as it was: %s", " ".join(str(error).split())[:300])
            connection.close()
            return self._kept()

    def _kept(self) -> Snapshot:
        try:
            taken_at, _newline, raw = self._file.read_text().partition("\n")
            return snapshot.parse(raw, datetime.fromisoformat(taken_at))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NothingToShow(f"nothing was kept: {error}") from error

    def _read(self) -> Snapshot:
        shown = snapshot.take(self._now())
        with suppress(OSError):  # a disk that is full costs us what is for bad times only
            self._keep(shown)
        return shown

    def _keep(self, shown: Snapshot) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_name(f"{self._file.name}.{os.getpid()}.{threading.get_ident()}")
        fresh.write_text(f"{shown.at.isoformat()}\n{shown.raw}")
        fresh.replace(self._file)

    def _run(self) -> None:
        pause = LOOK_SECONDS
        failing = False
        while not self._stop.wait(pause):
            try:
                self._look()
            except Exception as error:
                # Whatever it is, what was shown last is shown on; it is said once and tried for ever.
                if not failing:
                    logger.warning("the status page is shown as it was: %s", " ".join(str(error).split())[:300])
                connection.close()
                pause, failing = AFTER_AN_ERROR_SECONDS, True
            else:
                pause, failing = LOOK_SECONDS, False
        connection.close()

    def _look(self) -> None:
        before = self.generation
        assert before is not None, "it has been started"
        row = _VERSION.row()
        is_old = time.monotonic() - before.made_at > READ_ANEW_SECONDS
        if not is_old and (row[0] if row else 0) == before.shown.version:
            return
        after = Generation(self._read(), time.monotonic())
        wanted = list(before.answers)[-MOST_MADE_AHEAD:]
        for asked, language in wanted:
            _make(after, asked, language)
        self.generation = after


def _make(generation: Generation, asked: Asked, language: str) -> Kept | None:
    made = answers.make(asked, language, generation.shown)
    if made is None:
        return None
    kept = _pack(asked, language, made)
    generation.answers[asked, language] = kept
    if len(generation.answers) > MOST_KEPT:
        with suppress(KeyError):  # another thread has made room
            generation.answers.popitem(last=False)
    return kept


def _pack(asked: Asked, language: str, made: answers.Made) -> Kept:
    common = [(name.lower().encode(), value.encode()) for name, value in serving.headers(asked, made, language).items()]
    packed = gzip.compress(made.body, 6, mtime=0) if len(made.body) > _FEW_BYTES else made.body
    tag = serving.tag(made)
    tags = (f'"{tag}"'.encode(), f'"{tag}-gzip"'.encode())
    full, unchanged = [], []
    for place, body in enumerate((made.body, packed)):
        told = [*common, (b"etag", tags[place])]
        coding = [(b"content-encoding", b"gzip")] if place and packed is not made.body else []
        full.append([*told, *coding, (b"content-length", str(len(body)).encode())])
        unchanged.append([pair for pair in told if pair[0] != b"content-type"])
    return Kept(made.body, packed, tags, (full[0], full[1]), (unchanged[0], unchanged[1]))
