"""Interleaved rounds: ours, bare, peer, ours, bare, peer … so that a noisy minute hits all of them alike."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from bench.meters import Meter

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: `value` in the row's unit, `p95` where it is a latency. A run in a process of its own brings its CPU
    milliseconds an operation along."""

    value: float
    operations: int
    p95: float | None = None
    cpu_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """Something to run, after `prepare`, which is not measured. `processes` do its work, this one where none is named.

    Both are given the number of the round.
    """

    run: Callable[[int], Sample]
    prepare: Callable[[int], object] | None = None
    processes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """Medians over the rounds; `spread` is the lowest and the highest value, CPU is milliseconds an operation."""

    value: float
    spread: tuple[float, float]
    p95: float | None
    cpu_ms: float
    database_ms: float
    foreign: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `aim` is in the unit: of a rate at least, of a time (its p95, if so said) at most."""

    name: str
    unit: str
    figures: Mapping[str, Figure | None]
    aim: float | None = None
    remark: str = ""
    aims_p95: bool = False

    @property
    def is_rate(self) -> bool:
        return self.unit.endswith("/s")


def compare(contenders: Mapping[str, Contender | None], rounds: int = ROUNDS) -> dict[str, Figure | None]:
    """Run each once a round; the medians. Contenders that could not be had stay None."""
    samples: dict[str, list[tuple[Sample, float, float, float]]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, contender in contenders.items():
            if contender is None:
                continue
            if contender.prepare is not None:
                contender.prepare(number)
            meter = Meter(contender.processes)
            sample = contender.run(number)
            use = meter.stop()
            each = 1000 / max(sample.operations, 1)
            own = use.application * each if sample.cpu_ms is None else sample.cpu_ms
            samples[name].append((sample, own, use.database * each, use.foreign))
    return {name: _figure(runs) if runs else None for name, runs in samples.items()}


def _figure(runs: Iterable[tuple[Sample, float, float, float]]) -> Figure:
    found, own, database, foreign = zip(*runs, strict=True)
    values = [sample.value for sample in found]
    p95 = [sample.p95 for sample in found if sample.p95 is not None]
    return Figure(
        median(values),
        (min(values), max(values)),
        median(p95) if p95 else None,
        median(own),
        median(database),
        max(foreign),
    )


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * share // 1) - 1))]


def heading() -> str:
    """The machine, in words."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
