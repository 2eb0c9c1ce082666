"""The public page and its API as plain files, for another host that is up while we are not.

Files are written beside the old ones and take their place at once; what has not changed is not touched. Links are
relative, so the folder works below any address.
"""

import fcntl
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final

from django.contrib.staticfiles import finders

from helpdesk.events.models import Event
from status import answers, sections, snapshot, statuspage_api
from status.answers import CODES
from status.models import StatusPage
from status.rendering import ASSETS
from status.snapshot import Snapshot

logger = logging.getLogger(__name__)

# Readers are told that a page is old after ten minutes.
AGAIN_AFTER: Final = timedelta(minutes=4)
# Once a day everything is written: what has become private goes, and old pages get new texts around them.
WHOLE_AFTER: Final = timedelta(hours=24)
MARK: Final = "generated.json"
_INCIDENT: Final = re.compile(r"[a-z0-9]{12}")
_PREFIXES: Final = ("", *(f"{code}/" for code in CODES))
_FEW: Final = ("", "maintenance/", "banner/", "history/", "badge.svg", "history.atom", "history.rss", "maintenance.ics")


class NotThere(OSError):
    """The folder cannot be written to; the argument says why."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What lies in the folder: as of when, which version, and when all of it was written."""

    generated_at: datetime
    version: int
    whole_at: datetime


def export(folder: Path, *, at: datetime, whole: bool = True) -> int:
    """Write what has changed, or with `whole` everything; how many files were new or different.

    Raises NotThere. Two that write the same folder wait for each other.
    """
    if not folder.is_absolute():
        raise NotThere(f"{folder} is no absolute path")
    try:
        with _alone_in(folder):
            return _export(folder, at, whole)
    except OSError as error:
        raise NotThere(f"{folder}: {error.strerror or error}") from error


def export_if_due(at: datetime) -> int:
    """Write to the folder that is set for it (StatusPage.export_to) if there is news, or readers would think it old."""
    page = StatusPage.objects.filter(pk=1).only("export_to", "version").first()
    if page is None or not page.export_to:
        return 0
    folder = Path(page.export_to)
    mark = mark_of(folder)
    if mark is not None and mark.version == page.version and at - mark.generated_at < AGAIN_AFTER:
        return 0
    return export(folder, at=at, whole=mark is None or at - mark.whole_at >= WHOLE_AFTER)


def follow(event: Event, at: datetime) -> None:
    """The handler of `incident.published`. A folder that is not there is no reason not to tell anybody else."""
    try:
        export_if_due(at)
    except NotThere as error:
        logger.warning("the status page could not be exported: %s", error)


def mark_of(folder: Path) -> Mark | None:
    """What lies in the folder; None where that is nothing of ours."""
    try:
        found = json.loads((folder / MARK).read_text())
        return Mark(
            datetime.fromisoformat(found["generated_at"]), found["version"], datetime.fromisoformat(found["whole_at"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    lock: IO[str]
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _export(folder: Path, at: datetime, whole: bool) -> int:
    shown = snapshot.take(at)
    before = mark_of(folder)
    known = snapshot.index()
    since = None if whole or before is None else before.generated_at - timedelta(minutes=1)
    changed = {public_id for public_id, _began, changed_at in known if since is None or changed_at >= since}
    changed |= {one.id for one in shown.recent if one.is_open}
    written = _assets(folder) if since is None else 0
    for path in [*_api_paths(), *_paths(shown, changed, since)]:
        written += _page(folder, path, shown)
    if since is None:
        _remove_others(folder, {public_id for public_id, _began, _changed in known})
    mark = {
        "generated_at": at.isoformat(),
        "version": shown.version,
        "whole_at": (at if since is None or before is None else before.whole_at).isoformat(),
    }
    _write(folder / MARK, json.dumps(mark).encode())
    return written


def _api_paths() -> list[str]:
    return [f"api/v2/{name}.json" for name in statuspage_api.DOCUMENTS]


def _paths(shown: Snapshot, changed: set[str], since: datetime | None) -> Iterator[str]:
    """What is to be written in each language; the front page last, so that it never leads to what is not there yet."""
    months = sections.months(shown)
    for prefix in _PREFIXES:
        yield from (f"{prefix}incidents/{public_id}/" for public_id in sorted(changed))
        yield from (f"{prefix}history/{month:%Y-%m}/" for month in (months if since is None else months[:3]))
        yield from (f"{prefix}{path}" for path in reversed(_FEW))


def _page(folder: Path, path: str, shown: Snapshot) -> bool:
    asked = answers.parse(path)
    assert asked is not None, f"{path} is an address"
    made = answers.make(asked, asked.language or shown.language, shown, is_exported=True)
    if made is None:
        return False
    return _write(folder / (f"{path}index.html" if asked.is_page else path), made.body)


def _assets(folder: Path) -> int:
    written = 0
    for name in ASSETS:
        source = finders.find(name)
        assert isinstance(source, str), f"{name} is one of our files"
        written += _write(folder / "assets" / name, Path(source).read_bytes())
    return written


def _write(file: Path, body: bytes) -> bool:
    """Put it there at once; False where it was so already."""
    try:
        if file.read_bytes() == body:
            return False
    except OSError:
        file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_bytes(body)
    # Whoever serves them is another user.
    fresh.chmod(0o644)
    fresh.replace(file)
    return True


def _remove_others(folder: Path, known: set[str]) -> None:
    """Pages of incidents that are public no more."""
    for prefix in _PREFIXES:
        for one in (folder / prefix / "incidents").glob("*"):
            if _INCIDENT.fullmatch(one.name) and one.name not in known:
                shutil.rmtree(one)
