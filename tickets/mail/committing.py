"""Many mails, one commit: all that wait when a commit ends go into the next one, and are answered after it."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone

from helpdesk.events.nudge import nudge
from tickets.mail import ledger, recipients
from tickets.mail.ledger import Arrived
from tickets.mail.recipients import Recipients

logger = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE_SECONDS: Final = 20.0
BATCH_MAILS: Final = 200
BATCH_BYTES: Final = 40 * 1024 * 1024
WAITING_MAILS: Final = 2000
NUDGE_EVERY_SECONDS: Final = 0.1
# A database that does not answer must cost one thread seconds, not the two hours of TCP.
PATIENT_OPTIONS: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}


class TryLater(Exception):
    """Nothing can be promised now; the client shall send again."""


class Committer:
    """Owns the thread that talks to the database. Everything else here runs in the event loop."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Arrived, asyncio.Future[None]]] = deque()
        self._wake = asyncio.Event()
        self._database = ThreadPoolExecutor(1, "ledger")
        self._broker = ThreadPoolExecutor(1, "nudge")
        self._open = 0
        self.idle = asyncio.Event()  # set while every mail taken was answered for
        self.idle.set()
        self._nudge_planned = False
        self._recipients: Recipients | None = None
        self._read_at = 0.0
        self._reading: asyncio.Task[Recipients] | None = None

    async def commit(self, mail: Arrived) -> None:
        """Return once the mail is committed. Raises TryLater; the mail may be committed all the same, and sending it
        again then changes nothing."""
        if self._open >= WAITING_MAILS:
            raise TryLater("too much mail is waiting")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((mail, done))
        self._open += 1
        self.idle.clear()
        self._wake.set()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await done
        except TimeoutError:
            raise TryLater("the database is slow") from None
        finally:
            self._open -= 1
            if not self._open:
                self.idle.set()

    async def run(self) -> None:
        """Commit batch after batch, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            batch = self._next_batch()
            if not batch:
                self._wake.clear()
                continue
            mails = [mail for mail, _ in batch]
            errors = await loop.run_in_executor(self._database, _store, mails)
            for (_, done), error in zip(batch, errors, strict=True):
                if done.done():
                    continue
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(TryLater(error))
            if not all(errors):
                self._plan_nudge(loop)

    def _next_batch(self) -> list[tuple[Arrived, asyncio.Future[None]]]:
        batch: list[tuple[Arrived, asyncio.Future[None]]] = []
        size = 0
        while self._waiting and len(batch) < BATCH_MAILS:
            mail, done = self._waiting[0]
            if batch and size + len(mail.raw) > BATCH_BYTES:
                break
            self._waiting.popleft()
            if not done.done():  # whoever waited for it has answered "later" already
                batch.append((mail, done))
                size += len(mail.raw)
        return batch

    def _plan_nudge(self, loop: asyncio.AbstractEventLoop) -> None:
        """One hint for all mail of a tenth of a second, from a thread of its own: no "250" waits for the broker."""
        if self._nudge_planned:
            return
        self._nudge_planned = True

        def send() -> None:
            self._nudge_planned = False
            self._broker.submit(nudge, ledger.FILE_MAIL)

        loop.call_later(NUDGE_EVERY_SECONDS, send)

    async def is_ours(self, address: str) -> bool:
        """Whether we take mail for the address. Raises TryLater when the database cannot say."""
        known = self._recipients
        now = asyncio.get_running_loop().time()
        if known is None or now - self._read_at > recipients.CACHE.total_seconds():
            known = await self._read()
        if known.accepts(address):
            return True
        if now - self._read_at <= recipients.REFUSAL_CACHE.total_seconds():
            return False
        return (await self._read()).accepts(address)

    async def _read(self) -> Recipients:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_once())
            self._reading.add_done_callback(lambda _: setattr(self, "_reading", None))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.shield(self._reading)
        except (TimeoutError, DatabaseError, InterfaceError) as error:
            raise TryLater(f"the mailboxes cannot be read: {error.__class__.__name__}") from error

    async def _read_once(self) -> Recipients:
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        found = await loop.run_in_executor(self._database, _on_fresh_connection, recipients.load)
        self._recipients, self._read_at = found, asked_at
        return found


def _store(mails: Sequence[Arrived]) -> list[str | None]:
    """Commit the mails together; for each the reason why it is not committed, or None."""
    try:
        _on_fresh_connection(lambda: ledger.store(mails, at=timezone.now()))
    except (OperationalError, InterfaceError) as error:
        logger.warning("%d mails wait, the database does not answer: %s", len(mails), str(error).strip())
        return [error.__class__.__name__] * len(mails)
    except Exception as error:
        if len(mails) > 1:
            # One of them cannot be stored; the others must not wait for it.
            return [_store([mail])[0] for mail in mails]
        logger.exception("a mail of %d bytes could not be stored", len(mails[0].raw))
        return [error.__class__.__name__]
    return [None] * len(mails)


def _on_fresh_connection(action: Callable[[], T]) -> T:
    """Run the action; once more on a new connection if the old one turns out to be dead."""
    had_connection = connection.connection is not None
    try:
        return action()
    except (OperationalError, InterfaceError):
        connection.close()
        if not had_connection:
            raise
    try:
        return action()
    except (OperationalError, InterfaceError):
        connection.close()
        raise
