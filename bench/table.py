"""The figures as lines of text."""

from bench.rounds import Figure, Row

_COLUMNS = (
    ("", 30),
    ("unit", 9),
    ("ours", 16),
    ("bare", 10),
    ("cost", 7),
    ("peer", 10),
    ("faster", 8),
    ("CPU ms app+db", 14),
    ("foreign", 8),
    ("aim", 12),
)


def head() -> str:
    return _line([name for name, _ in _COLUMNS])


def line(row: Row) -> str:
    """`cost` is how many times the bare statement's, `faster` how many times the peer."""
    ours, bare, peer = (row.figures.get(name) for name in ("ours", "bare", "peer"))
    if ours is None:
        return _line([row.name, row.unit, "-"])
    cells = [
        row.name,
        row.unit,
        _value(ours),
        _value(bare),
        f"{_times(row, ours, bare):.1f}x" if bare and bare.value else "-",
        _value(peer),
        f"{1 / _times(row, ours, peer):.1f}x" if peer and peer.value else "-",
        f"{_short(ours.cpu_ms)}+{_short(ours.database_ms)}",
        f"{max(f.foreign for f in (ours, bare, peer) if f):.0%}",
        _aim(row, ours),
    ]
    return _line(cells) + (f"\n    {row.remark}" if row.remark else "")


def _line(cells: list[str]) -> str:
    return " ".join(cell.ljust(width) for cell, (_, width) in zip(cells, _COLUMNS, strict=False)).rstrip()


def _times(row: Row, ours: Figure, other: Figure) -> float:
    """How many times as long as the other ours takes."""
    return other.value / ours.value if row.is_rate else ours.value / other.value


def _value(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    text = _short(figure.value)
    return text if figure.p95 is None else f"{text} / {_short(figure.p95)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _aim(row: Row, ours: Figure) -> str:
    if row.aim is None:
        return ""
    value = ours.p95 if row.aims_p95 and ours.p95 is not None else ours.value
    reached = value >= row.aim if row.is_rate else value <= row.aim
    what = "p95 " if row.aims_p95 else ""
    return f"{what}{'>=' if row.is_rate else '<='} {row.aim:g} {'ok' if reached else 'MISSED'}"
