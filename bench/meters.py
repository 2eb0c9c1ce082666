"""How much processor time a run took, ours and the database's, and how much of the machine others used meanwhile."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from bench import ground


@dataclass(frozen=True, slots=True)
class Use:
    """Seconds of processor time; `foreign` is the share of the machine used by nobody of ours, 0 to 1."""

    seconds: float
    application: float
    database: float
    foreign: float


class Meter:
    """Measures from its making to `stop()`. `processes` are the application: with what they have started."""

    def __init__(self, processes: Iterable[int] = ()) -> None:
        self._processes = tuple(processes)
        self._began = time.perf_counter()
        self._before = self._now()

    def stop(self) -> Use:
        seconds = time.perf_counter() - self._began
        application, database, all_of_ours, busy = (
            after - before for after, before in zip(self._now(), self._before, strict=True)
        )
        foreign = (busy - all_of_ours) / (seconds * (os.cpu_count() or 1))
        return Use(seconds, application, database, min(max(foreign, 0.0), 1.0))

    def _now(self) -> tuple[float, float, float, float]:
        postmaster = _postmaster()
        servers = _tree([postmaster] if postmaster else [])
        ours = _tree([os.getpid()])
        application = _tree(self._processes) if self._processes else {}
        busy = psutil.cpu_times()
        return (
            sum(application.values()) if self._processes else time.process_time(),
            sum(servers.values()),
            sum((ours | servers).values()),
            busy.user + busy.system + busy.nice,
        )


def _tree(roots: Iterable[int]) -> dict[int, float]:
    """Processor time of these processes and all below them, that of ended ones counted at who waited for them."""
    found = {}
    for root in roots:
        try:
            process = psutil.Process(root)
            for one in (process, *process.children(recursive=True)):
                used = one.cpu_times()
                found[one.pid] = used.user + used.system + used.children_user + used.children_system
        except psutil.NoSuchProcess:
            continue
    return found


def _postmaster() -> int | None:
    try:
        return int((ground.data_dir() / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None
