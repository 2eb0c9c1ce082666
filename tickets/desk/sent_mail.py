"""Mail that was written to files instead of being sent, as the demo does."""

import heapq
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tickets.mail.parsing import parse

MOST = 100
MOST_BYTES = 2_000_000
_HEAD = 32_768
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+=-]{0,200}\.eml")


@dataclass(frozen=True, slots=True)
class SentFile:
    name: str
    at: datetime
    size: int
    subject: str
    to: str


def newest(folder: Path) -> list[SentFile]:
    """The newest files; a folder that is not there yet has none."""
    try:
        with os.scandir(folder) as entries:
            stats = [(e.stat().st_mtime, e.name, e.stat().st_size) for e in entries if _NAME.fullmatch(e.name)]
    except FileNotFoundError:
        return []
    return [_described(folder, *stat) for stat in heapq.nlargest(MOST, stats)]


def read(folder: Path, name: str) -> bytes:
    """The bytes of one file, MOST_BYTES of them. Raises FileNotFoundError, also for names that are no mail's."""
    if not _NAME.fullmatch(name):
        raise FileNotFoundError(name)
    with (folder / name).open("rb") as file:
        return file.read(MOST_BYTES)


def _described(folder: Path, modified: float, name: str, size: int) -> SentFile:
    with (folder / name).open("rb") as file:
        mail = parse(file.read(_HEAD))
    to = mail.header("x-envelope-to") or ", ".join(address.email for address in mail.to)
    return SentFile(name, datetime.fromtimestamp(modified, UTC), size, mail.subject, to)
