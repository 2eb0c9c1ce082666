"""pages: from an overdue promise to the call at PagerDuty, by two processes; and how long one takes, live."""

import json
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from bench import bare, ground, volume
from bench.children import child, wait_until
from bench.rounds import ROUNDS, Contender, Row, Sample, compare, percentile
from bench.sizes import Sizes
from tests.fixtures.providers.pagerduty import ROUTING_KEY

PROCESSES = 2
AIM = 300
LIVE_AIM_MS = 10_000
LIVE_SECONDS = 20
BATCH = 100
_CELERY = ("-W", "ignore", "-m", "celery", "--quiet", "-A", "helpdesk.celery")


class Double:
    """The other end: what has been called, and when."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None and process.stdout is not None, "started with pipes"
        self._process, self._write, self._read = process, process.stdin, process.stdout
        self.url = self._read.readline().strip()

    def count(self) -> int:
        return int(self._ask("count"))

    def called(self) -> dict[str, float]:
        """Seconds since 1970 by dedup key."""
        found: dict[str, float] = json.loads(self._ask("all"))
        return found

    def _ask(self, question: str) -> str:
        self._write.write(f"{question}\n")
        self._write.flush()
        return self._read.readline()


def run(sizes: Sizes) -> Iterator[Row]:
    count = sizes.of(3000, 400)
    yield _throughput(count)
    yield _live(max(count // 10, 10))


@contextmanager
def pagerduty() -> Iterator[tuple[Double, dict[str, str]]]:
    """PagerDuty, and the environment in which ours calls it. On a fresh database, since page keys begin anew."""
    connection.close()
    ground.fresh()
    with child(["-m", "bench.pagerduty_double"], pipes=True) as process:
        double = Double(process)
        yield double, {"PAGERDUTY_BASE_URL": double.url, "PAGERDUTY_ROUTING_KEY": ROUTING_KEY}


def _throughput(count: int) -> Row:
    with pagerduty() as (double, found), ExitStack() as stack:
        bare.create_tables()
        volume.grow((ROUNDS * count + 10) * volume.ACTIVE_ONE_IN, messages=1)
        workers = [stack.enter_context(child(["-m", "bench.worker"], **found)) for _ in range(PROCESSES)]

        def ours(_number: int) -> Sample:
            known = double.count()
            released = timezone.now()
            make_due([released] * count)
            began = time.time()
            wait_until(lambda: double.count() >= known + count, f"{count} pages")
            last = max(double.called().values())
            return Sample(count / (last - began), count)

        def overdue(number: int) -> None:
            bare.execute(
                "INSERT INTO bare.clock SELECT %s + i, i, now() - interval '1 s' FROM generate_series(1, %s) i",
                [number * count, count],
            )

        def floor(_number: int) -> Sample:
            rounds = -(-count // (BATCH * PROCESSES))
            each = [(bare.PAGE, bare.SEND)] * rounds
            seconds = count / bare.run_together([lambda: bare.execute_all(each)] * PROCESSES, count)
            return Sample(count / seconds, count)

        # One page before the clock runs: starting Python is not paging.
        make_due([timezone.now()])
        wait_until(double.count, "the workers' start")
        contenders = {
            "ours": Contender(ours, processes=tuple(worker.pid for worker in workers)),
            "bare": Contender(floor, overdue),
        }
        figures = compare(contenders)
    return Row(f"pages, {PROCESSES} processes", "pages/s", figures, AIM)


def _live(count: int) -> Row:
    """Deadlines spread over twenty seconds, with a real Celery worker and beat: each page's way from due to call."""
    with pagerduty() as (double, found), ExitStack() as stack:
        volume.grow((count + 10) * volume.ACTIVE_ONE_IN, messages=1)
        processes = [stack.enter_context(child(command, **found)) for command in celery()]
        make_due([timezone.now()])
        wait_until(double.count, "the workers' start")

        def ours(_number: int) -> Sample:
            return spread_out(double, count, LIVE_SECONDS)

        contenders = {"ours": Contender(ours, processes=tuple(process.pid for process in processes))}
        figures = compare(contenders, rounds=1)
    remark = f"worker and beat of Celery as `manage.py up` runs them, {count} deadlines in {LIVE_SECONDS} s"
    return Row("page, due to call, live", "ms", figures, LIVE_AIM_MS, remark)


def celery() -> tuple[list[str], list[str]]:
    """Worker and beat, as `manage.py up` runs them."""
    schedule = str(ground.data_dir() / "bench-schedule")
    worker = [*_CELERY, "worker", "--loglevel", "ERROR", "--concurrency", str(PROCESSES), "--without-gossip"]
    return worker, [*_CELERY, "beat", "--loglevel", "ERROR", "--pidfile", "", "--schedule", schedule]


def spread_out(double: Double, count: int, seconds: float) -> Sample:
    """Milliseconds from due to call, for so many deadlines at random within the next seconds."""
    dice = random.Random(1)
    start = timezone.now() + timedelta(seconds=1)
    keys = make_due(sorted(start + timedelta(seconds=dice.uniform(0, seconds)) for _ in range(count)))
    wait_until(lambda: keys.keys() <= double.called().keys(), "the last page")
    called = double.called()
    waits = [(called[key] - moment.timestamp()) * 1000 for key, moment in keys.items()]
    return Sample(percentile(waits, 0.5), count, p95=percentile(waits, 0.95))


def make_due(moments: list[datetime]) -> dict[str, datetime]:
    """Let as many dispatch clocks that have not fired be due at these moments, those of others never; by dedup key."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH given AS (SELECT * FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS g(due, place)),
            chosen AS (SELECT id, row_number() OVER () AS place FROM (
                SELECT id FROM helpdesk_clock WHERE target = 'dispatch' AND wake_at > now() + interval '1 hour'
                ORDER BY id LIMIT %s) AS waiting)
            UPDATE helpdesk_clock AS clock SET due_at = given.due, warn_at = given.due, wake_at = given.due
            FROM chosen JOIN given USING (place) WHERE clock.id = chosen.id
            RETURNING clock.conversation_id, clock.due_at
            """,
            [moments, len(moments)],
        )
        rows = cursor.fetchall()
    assert len(rows) == len(moments), f"only {len(rows)} clocks are waiting"
    return {f"helpdesk:conversation:{conversation}": due for conversation, due in rows}
