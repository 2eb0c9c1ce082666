"""What kept pages are compared with, for uvicorn: an application that sends as many bytes and knows nothing else, one
that serves a file as web servers do, and Django alone, which makes each page anew from PostgreSQL.
"""

import gzip
import os
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path
from typing import Any

import django

from helpdesk.threaded_requests import ThreadedRequests

_BODY = b"x" * int(os.environ.get("BENCH_BYTES", "2000"))
_HEADERS = [(b"content-type", b"text/html"), (b"content-length", str(len(_BODY)).encode())]


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """As little as an ASGI application can do."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


class StaticFile:
    """A file in memory, sent packed or as it is, with what a static file has: its type, validators, how long it may be
    kept. Whoever has it already is told so. It does not look whether the file has changed.
    """

    def __init__(self, path: Path) -> None:
        body = path.read_bytes()
        self._bodies = (body, gzip.compress(body, 6, mtime=0))
        self._tags = [f'"{sha256(one).hexdigest()[:20]}"'.encode() for one in self._bodies]
        self._headers = [self._all(place, formatdate(path.stat().st_mtime, usegmt=True)) for place in (0, 1)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        place = b"gzip" in headers.get(b"accept-encoding", b"")
        if self._tags[place] in headers.get(b"if-none-match", b""):
            await send({"type": "http.response.start", "status": 304, "headers": self._headers[place][2:]})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": self._headers[place]})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else self._bodies[place]})

    def _all(self, place: int, changed: str) -> list[tuple[bytes, bytes]]:
        packed = [(b"content-encoding", b"gzip")] if place else []
        return [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(self._bodies[place])).encode()),
            *packed,
            (b"etag", self._tags[place]),
            (b"last-modified", changed.encode()),
            (b"cache-control", b"public, max-age=0"),
            (b"vary", b"Accept-Encoding"),
        ]


def static_file() -> StaticFile:
    """The file that BENCH_FILE names."""
    return StaticFile(Path(os.environ["BENCH_FILE"]))


def uncached() -> ThreadedRequests:
    """Django without the layer before it."""
    django.setup(set_prefix=False)
    return ThreadedRequests()
