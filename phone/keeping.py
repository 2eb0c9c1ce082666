"""Keeping what Twilio tells within the time a caller can wait, also while the database hangs or is away.

A caller must hear a greeting whatever our own state is, so that work with the database is done in threads of its own
and waited for a moment only. What did not work out is tried again here until it does, as long as this process lives; if
it dies too, `phone.reconciling` finds the call in Twilio's own list.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

logger = logging.getLogger(__name__)

T = TypeVar("T")
THREADS: Final = 4
MOST_WAITING: Final = 1000
AGAIN_AFTER_SECONDS: Final = 2.0
Work = Callable[[], Any]


class NotNow(Exception):
    """The work was not done in time. It is done as soon as it can be."""


class _Job:
    def __init__(self, work: Work) -> None:
        self.work = work
        self.done = threading.Event()
        self.result: Any = None
        self.error: Exception | None = None

    def run(self) -> bool:
        """Whether it need not be tried again."""
        close_old_connections()
        try:
            self.result, self.error = self.work(), None
        except (DatabaseError, InterfaceError) as error:
            self.error = error
        except Exception as error:  # Whoever waits gets it; nobody else may be kept waiting by it.
            logger.exception("a call from Twilio could not be kept")
            self.error = error
            return True
        finally:
            self.done.set()
            close_old_connections()
        return self.error is None


class _Keeper:
    """A few threads, begun with the first call; they never keep the process from ending."""

    def __init__(self) -> None:
        self._jobs: queue.Queue[_Job] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def put(self, job: _Job) -> None:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            logger.error("more than %s calls from Twilio wait for the database", MOST_WAITING)
            return
        with self._lock:
            while len(self._threads) < THREADS:
                thread = threading.Thread(target=self._work, name="phone", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if not job.run():
                logger.warning("a call from Twilio waits for the database: %s", type(job.error).__name__)
                connection.close()
                time.sleep(AGAIN_AFTER_SECONDS)
                self.put(job)


_keeper = _Keeper()


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns, if it does so within `seconds`. It must do no harm when it is done twice. Raises NotNow."""
    job = _Job(work)
    _keeper.put(job)
    if not job.done.wait(seconds) or job.error is not None:
        raise NotNow(str(job.error or f"not within {seconds:g} s"))
    result: T = job.result
    return result
