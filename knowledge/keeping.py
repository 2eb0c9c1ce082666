"""The public pages of this process, kept: each is made once a change and language, for everybody who is not signed in.

Whether something has changed is asked at most every LOOK_SECONDS, by whoever wants a page then; what this process
changes itself is known at once. Counts (of votes, of readers) are no changes: a page shows them as they were when it
was made, which is at most a minute ago.
"""

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, InterfaceError, connection

from helpdesk.kept import Kept, keep
from helpdesk.prepared import Prepared
from knowledge import changes, pages, seen, serving
from knowledge.asked import Asked
from knowledge.models import KnowledgeBase

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.25
WRITE_VIEWS_SECONDS: Final = 5.0
MOST_KEPT: Final = 3_000
_VERSION: Final = Prepared("knowledge_version", f"SELECT version FROM {KnowledgeBase._meta.db_table} WHERE id = 1")
Key = tuple[Asked, str]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer with how long it may be shown (of the monotonic clock), and the article that is read in it."""

    kept: Kept
    until: float
    version: int
    article_id: int


class Keeper:
    """One for a process. Pages may be read from any thread; what waits for PostgreSQL belongs on one that may."""

    def __init__(self) -> None:
        self._pages: dict[Key, Page] = {}
        self._looking = threading.Lock()
        self._version = -1
        self._looked_at = self._wrote_at = -WRITE_VIEWS_SECONDS
        self._is_outdated = True
        self._is_failing = False
        changes.keepers.tell_me(self)

    @property
    def is_due(self) -> bool:
        """Whether it has to be asked whether anything has changed."""
        return self._is_outdated or time.monotonic() - self._looked_at > LOOK_SECONDS

    def outdate(self) -> None:
        """What is kept is no longer so."""
        self._is_outdated = True

    def find(self, asked: Asked, language: str) -> Page | None:
        """The page, if it is kept and still so."""
        page = self._pages.get((asked, language))
        return page if page is not None and page.version == self._version and page.until > time.monotonic() else None

    def find_old(self, asked: Asked, language: str) -> Page | None:
        """The page as it was, for bad times."""
        return self._pages.get((asked, language))

    def look(self) -> None:
        """Find out whether anything has changed; without a database everything stays as it was. Waits."""
        with self._looking:
            if not self.is_due:
                return
            self._is_outdated = False
            try:
                row = _VERSION.row()
                self._version = row[0] if row else 0
                if time.monotonic() - self._wrote_at > WRITE_VIEWS_SECONDS:
                    self._wrote_at = time.monotonic()
                    seen.write()
                self._is_failing = False
            except (DatabaseError, InterfaceError) as error:
                if not self._is_failing:  # said once
                    logger.warning("the help centre is shown as it was: %s", " ".join(str(error).split())[:300])
                self._is_failing = True
            finally:
                self._looked_at = time.monotonic()
                connection.close_if_unusable_or_obsolete()

    def make(self, asked: Asked, language: str) -> Page | None:
        """Make the page, and keep it; None where nothing public lies there, or it lies elsewhere. Waits. Raises
        DatabaseError.
        """
        version = self._version
        try:
            made = pages.make(asked, language, None)
        finally:
            connection.close_if_unusable_or_obsolete()
        if not isinstance(made, pages.Made):
            self._pages.pop((asked, language), None)
            return None
        kept = keep(made.body, serving.headers(asked, made, language))
        page = Page(kept, time.monotonic() + made.seconds, version, made.article_id)
        self._pages[asked, language] = page
        if len(self._pages) > MOST_KEPT:
            with suppress(StopIteration, KeyError, RuntimeError):  # another thread makes room just now
                del self._pages[next(iter(self._pages))]
        return page
