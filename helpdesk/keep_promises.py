"""keep_promises: what the workers do for promises, done from PostgreSQL alone whenever they do not.

One thread a sweep, so that none starves or stops another; no broker, no Celery. Every sweep claims its rows with SKIP
LOCKED, so any number of these may run beside each other and beside the workers. The workers' silence is itself paged.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from chat import bookings, dues
from helpdesk.conversations import actions as conversations
from helpdesk.events import outbox
from helpdesk.events.actions import beat
from helpdesk.events.models import Heartbeat
from helpdesk.oncall import audit, deliveries, paging, rotas
from helpdesk.oncall.models import Urgency
from helpdesk.sla import sweep
from social import filing as social_filing
from status import dues as incident_dues
from status import sending
from status.signals import acting
from tickets.mail import filing

logger = logging.getLogger(__name__)

Sweep = Callable[[datetime], int]

EVERY_SECONDS = 2.0
# While we stand in, a promise goes through up to four sweeps, one after the other.
EVERY_SECONDS_STANDING_IN = 1.0
TAKE_OVER_AFTER = timedelta(seconds=12)
SILENCE_AFTER = timedelta(seconds=60)
SILENCE_KEY = "helpdesk:silence:workers"
AUDIT_AFTER = timedelta(seconds=75)
PLAN_AFTER = timedelta(minutes=65)
LONGEST_BACKOFF_SECONDS = 15.0
# A sweep that has not come back for so long hangs, and only a new process can be trusted.
HANGS_AFTER_SECONDS = 240.0

# By the heartbeat under which the workers do the same. Each round is bounded, by its limit or by time.
SWEEPS: Mapping[str, Sweep] = {
    "file_mail": lambda at: filing.file_accepted(at, limit=60),
    "sweep_clocks": lambda at: sweep.sweep(at, limit=5000),
    "worker": lambda at: outbox.drain(at, limit=1000),
    "escalate_pages": lambda at: paging.escalate(at, limit=500),
    "deliver_pages": lambda at: deliveries.deliver(at, limit=5000),
    "wake_snoozed": conversations.wake_due,
    "sweep_bookings": bookings.sweep,
    "sweep_chats": dues.sweep,
    "sweep_incidents": incident_dues.sweep,
    "send_notices": sending.send,
    "sweep_signals": acting.sweep,
    "file_arrivals": lambda at: social_filing.file_arrivals(at, limit=500),
}


class SweepHangs(RuntimeError):
    """A sweep does not come back."""


@dataclass
class _Part:
    """One loop: when it was last seen, what went wrong since it last went well, and the pause after that."""

    name: str
    seen: float = field(default_factory=time.monotonic)
    error: str = ""
    backoff: float = 0.0


class Keeper:
    """`run()` until `stop()`. `now` is the clock."""

    def __init__(self, sweeps: Mapping[str, Sweep] = SWEEPS, now: Callable[[], datetime] = timezone.now) -> None:
        self._sweeps = sweeps
        self._now = now
        self._stop = threading.Event()
        self._parts = {name: _Part(name) for name in sweeps}
        self._started_at = now()

    def stop(self) -> None:
        """Let everything end after what it is doing now. Not from a signal handler itself: it takes a lock."""
        self._stop.set()

    def run(self) -> None:
        """Keep promises until stopped. Raises SweepHangs, for the supervisor to start us anew."""
        threads = [threading.Thread(target=self._loop, args=(name,), name=name, daemon=True) for name in self._sweeps]
        for thread in threads:
            thread.start()
        watch = _Part("watch")
        while not self._stop.is_set():
            pause = self._guarded(watch, self._watch)
            self._stop.wait(pause)
        end = time.monotonic() + 4
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0))
        connection.close()

    def _loop(self, name: str) -> None:
        part = self._parts[name]
        try:
            while not self._stop.is_set():
                self._stop.wait(self._guarded(part, lambda: self._round(name)))
        finally:
            connection.close()

    def _guarded(self, part: _Part, work: Callable[[], float]) -> float:
        """Do it; how long to pause after it. Whatever fails is said and tried again, on a new connection."""
        try:
            pause = work()
        except SweepHangs:
            raise
        except (OperationalError, InterfaceError) as error:
            pause = self._fail(part, f"the database: {error}", "is not reached")
        except Exception as error:
            logger.exception("%s failed", part.name)
            pause = self._fail(part, f"{error.__class__.__name__}: {error}", "failed")
        else:
            part.error, part.backoff = "", 0.0
        part.seen = time.monotonic()
        return pause

    def _fail(self, part: _Part, error: str, what: str) -> float:
        connection.close()
        if not part.error:
            logger.warning("%s %s: %s", part.name, what, " ".join(error.split())[:300])
        part.error = error[:300]
        part.backoff = min(max(part.backoff * 2, 1.0), LONGEST_BACKOFF_SECONDS)
        return part.backoff

    def _round(self, name: str) -> float:
        """Do a sweep if the workers do not."""
        at = self._now()
        if not self._is_left_undone(name, at):
            return EVERY_SECONDS
        self._sweeps[name](at)
        return EVERY_SECONDS_STANDING_IN

    def _is_left_undone(self, name: str, at: datetime) -> bool:
        last = Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
        return last is None or last < at - TAKE_OVER_AFTER

    def _watch(self) -> float:
        """Say that we are alive, look whether the workers are, and do what is done seldom."""
        at = self._now()
        self._beat(at)
        self._watch_workers(at)
        beats = dict(Heartbeat.objects.filter(name__in=("audit", "plan_shifts")).values_list("name", "at"))
        if beats.get("audit", self._started_at - AUDIT_AFTER) < at - AUDIT_AFTER:
            audit.audit(at)
        if beats.get("plan_shifts", self._started_at - PLAN_AFTER) < at - PLAN_AFTER:
            rotas.plan_ahead(at=at)
            beat("plan_shifts", at=at)
        return EVERY_SECONDS

    def _beat(self, at: datetime) -> None:
        silent = {part.name: time.monotonic() - part.seen for part in self._parts.values()}
        hanging = [name for name, seconds in silent.items() if seconds > HANGS_AFTER_SECONDS]
        if hanging:
            raise SweepHangs(f"{', '.join(hanging)} did not come back within {HANGS_AFTER_SECONDS:g} s")
        errors = {part.name: part.error for part in self._parts.values() if part.error}
        beat(audit.KEEPER, at=at, detail={"started_at": self._started_at.isoformat(), "errors": errors})

    def _watch_workers(self, at: datetime) -> None:
        beats = Heartbeat.objects.filter(name__in=audit.WORKERS).values_list("at", flat=True)
        heard = max(beats, default=None)
        if heard is not None and heard >= at - TAKE_OVER_AFTER:
            paging.resolve_open(SILENCE_KEY, at=at, why="the workers are back")
            return
        # They are given the same time after our own start, when all of us may have been down.
        since = max(heard, self._started_at) if heard is not None else self._started_at
        if at - since <= SILENCE_AFTER:
            return
        paging.trigger(
            SILENCE_KEY,
            paging.Reason(
                "silence", f"No worker has been heard since {since:%Y-%m-%d %H:%M:%S} UTC", since + SILENCE_AFTER
            ),
            urgency=Urgency.HIGH,
            summary="The helpdesk's workers are silent; promises are kept without them",
            at=at,
        )
