"""silence: pages through a dead broker. The stack runs, its Valkey is killed, and promises break."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

from django.utils import timezone

from bench import ground, volume
from bench.children import child, wait_until
from bench.paging import celery, make_due, pagerduty, spread_out
from bench.rounds import Contender, Row, Sample, compare
from bench.sizes import Sizes
from helpdesk.embedded.valkey import start_valkey, stop_valkey, valkey_is_running
from helpdesk.events.models import Heartbeat
from helpdesk.oncall import audit

AIM_MS = 60_000
SECONDS = 20


def run(sizes: Sizes) -> Iterator[Row]:
    """From due to provider call, with a Valkey of its own that is killed with SIGKILL before anything is due."""
    count = sizes.of(500, 100)
    folder = ground.data_dir() / "silence"
    broker = start_valkey(folder)
    try:
        with pagerduty() as (double, found), ExitStack() as stack:
            volume.grow((count + 10) * volume.ACTIVE_ONE_IN, messages=1)
            commands = [*celery(), ["manage.py", "keep_promises"]]
            # That the broker is gone is said by everybody, all the time.
            given = {**found, "REDIS_URL": broker.url, "LOG_LEVEL": "CRITICAL"}
            processes = [stack.enter_context(child(command, **given)) for command in commands]
            make_due([timezone.now()])
            wait_until(lambda: double.count() and _all_were_heard(), "the workers' start")

            def ours(_number: int) -> Sample:
                os.kill(int((folder / "valkey" / "valkey.pid").read_text()), signal.SIGKILL)
                wait_until(lambda: not valkey_is_running(folder), "the broker's end")
                return spread_out(double, count, SECONDS)

            figures = compare({"ours": Contender(ours, processes=tuple(p.pid for p in processes))}, rounds=1)
    finally:
        stop_valkey(folder)
    remark = f"worker, beat and keep_promises; Valkey killed, then {count} deadlines in {SECONDS} s; p50 / p95"
    yield Row("page, due to call, no broker", "ms", figures, AIM_MS, remark)


def _all_were_heard() -> bool:
    """Whether every part of the workers' has done its round: until then keep_promises stands in anyway."""
    return Heartbeat.objects.filter(name__in=audit.WORKERS).count() == len(audit.WORKERS)
