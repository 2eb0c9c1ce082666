"""The public answers of this process, kept: everything that is asked for is made once a change and language.

A thread looks at the page's version and reads what is shown when that has risen, or a minute has gone by (uptime grows
by itself). What was read last lies in DATA_DIR as well, so that a process that starts without PostgreSQL has something
to show. Without PostgreSQL what there is stays.
"""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import DatabaseError, InterfaceError, connection

from helpdesk.kept import Kept, keep
from helpdesk.prepared import Prepared
from status import answers, changes, serving, snapshot
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

_VERSION: Final = Prepared("status_version", f"SELECT version FROM {StatusPage._meta.db_table} WHERE id = 1")
Key = tuple[Asked, str]


@dataclass(frozen=True, slots=True)
class Generation:
    """What was read at one moment (`read_at`, of the monotonic clock), what has been made of it, and how often that was
    asked for.
    """

    shown: Snapshot
    read_at: float
    answers: dict[Key, Kept] = field(default_factory=dict)
    asked: Counter[Key] = field(default_factory=Counter)


class NothingToShow(RuntimeError):
    """There is neither a database nor anything kept."""


class Keeper:
    """One for a process. `start()` before anything else; `now` is the clock of what is shown."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._file = folder / "snapshot.json"
        self._now = now
        self._awake = threading.Event()
        self._is_stopped = False
        self._thread: threading.Thread | None = None
        self._reading = threading.Lock()
        self.generation: Generation | None = None
        # How often what is shown was said to have changed, and up to where that has been read.
        self._told = self._done = 0

    @property
    def is_outdated(self) -> bool:
        """Whether it is known in this process that something else is to be shown."""
        return self._done < self._told

    def start(self) -> None:
        """Have something to show, and go on looking. Raises NothingToShow; then it may be tried again."""
        with self._reading:
            if self._thread is not None:
                return
            changes.keepers.tell_me(self)
            self.generation = self._first()
            self._thread = threading.Thread(target=self._run, name="status page", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._is_stopped = True
        self._awake.set()
        if self._thread is not None:
            self._thread.join()

    def outdate(self) -> None:
        """What is kept is no longer so: nobody is shown it before it has been read anew."""
        self._told += 1
        self._awake.set()

    def renew(self) -> None:
        """Read what is shown anew, if that is known to have changed; without a database it stays as it was."""
        try:
            self._look()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the status page is shown as it was: %s", " ".join(str(error).split())[:300])
        finally:
            connection.close_if_unusable_or_obsolete()

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

    def _first(self) -> Generation:
        try:
            return Generation(self._read(), time.monotonic())
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the status page is shown as it was: %s", " ".join(str(error).split())[:300])
            connection.close()
            # Read long ago: as soon as there is a database it is read anew.
            return Generation(self._kept(), -READ_ANEW_SECONDS)

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
        pause, failing = LOOK_SECONDS, False
        while True:
            self._awake.wait(pause)
            self._awake.clear()
            if self._is_stopped:
                break
            try:
                self._look()
                pause, failing = LOOK_SECONDS, False
                continue
            except (DatabaseError, InterfaceError) as error:
                if not failing:  # said once, tried for ever
                    logger.warning("the status page is shown as it was: %s", " ".join(str(error).split())[:300])
            except Exception:
                # Whatever it is, what was shown last is shown on.
                if not failing:
                    logger.exception("the status page cannot be made anew")
            connection.close()
            pause, failing = AFTER_AN_ERROR_SECONDS, True
        connection.close()

    def _look(self) -> None:
        with self._reading:
            before, told = self.generation, self._told
            assert before is not None, "it has been started"
            try:
                row = _VERSION.row()
                is_old = time.monotonic() - before.read_at > READ_ANEW_SECONDS
                if not is_old and (row[0] if row else 0) == before.shown.version:
                    return
                after = Generation(self._read(), time.monotonic())
                if self.is_outdated:
                    # Somebody waits for the page they have changed, and not for all the others.
                    self.generation = after
            finally:
                self._done = told
            for (asked, language), _times in before.asked.most_common(MOST_MADE_AHEAD):
                if (asked, language) not in after.answers:
                    _make(after, asked, language)
            self.generation = after


def _make(generation: Generation, asked: Asked, language: str) -> Kept | None:
    made = answers.make(asked, language, generation.shown)
    if made is None:
        return None
    kept = keep(made.body, serving.headers(asked, made, language))
    generation.answers[asked, language] = kept
    if len(generation.answers) > MOST_KEPT:
        with suppress(StopIteration, KeyError, RuntimeError):  # another thread makes room just now
            del generation.answers[next(iter(generation.answers))]
    return kept
