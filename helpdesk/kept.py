"""Answers that are made once and sent many times, before Django: as they are or packed, with validators."""

import gzip
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, Protocol
from weakref import WeakSet

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
_FEW_BYTES: Final = 200
_EMPTY: Final = {"type": "http.response.body", "body": b""}


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer, ready to be sent as it is or packed. `tags` are the validators of both."""

    plain: bytes
    packed: bytes
    tags: tuple[bytes, bytes]
    headers: tuple[Headers, Headers]
    unchanged: tuple[Headers, Headers]


def keep(body: bytes, headers: Mapping[str, str]) -> Kept:
    """Make an answer ready; `headers` are all but those of length, packing and validation."""
    common = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    packed = gzip.compress(body, 6, mtime=0) if len(body) > _FEW_BYTES else body
    tag = blake2b(body + headers.get("Content-Type", "").encode(), digest_size=12).hexdigest()
    tags = (f'"{tag}"'.encode(), f'"{tag}-gzip"'.encode())
    full, unchanged = [], []
    for place, sent in enumerate((body, packed)):
        told = [*common, (b"etag", tags[place])]
        coding = [(b"content-encoding", b"gzip")] if place and packed is not body else []
        full.append([*told, *coding, (b"content-length", str(len(sent)).encode())])
        unchanged.append([pair for pair in told if pair[0] != b"content-type"])
    return Kept(body, packed, tags, (full[0], full[1]), (unchanged[0], unchanged[1]))


@lru_cache(512)
def takes_gzip(accepted: bytes) -> bool:
    """Whether the client understands gzip and has not ruled it out (RFC 9110 §12.5.3)."""
    return b"gzip" in accepted and b"gzip;q=0" not in accepted.replace(b" ", b"")


async def send(kept: Kept, accepted: bytes, validator: bytes, is_head: bool, to: Send) -> None:
    """Send it; `accepted` and `validator` are the request's Accept-Encoding and If-None-Match."""
    is_packed = takes_gzip(accepted)
    if validator and (kept.tags[is_packed] in validator or validator == b"*"):
        await to({"type": "http.response.start", "status": 304, "headers": kept.unchanged[is_packed]})
        await to(_EMPTY)
        return
    await to({"type": "http.response.start", "status": 200, "headers": kept.headers[is_packed]})
    if is_head:
        await to(_EMPTY)
    else:
        await to({"type": "http.response.body", "body": kept.packed if is_packed else kept.plain})


class Keeping(Protocol):
    """Keeps what is shown."""

    def outdate(self) -> None:
        """What is kept is no longer so."""


class Keepers:
    """Who in this process keeps one thing that is shown, and is told at once that it has changed. Other processes find
    out by its version.
    """

    def __init__(self) -> None:
        self._keeping: WeakSet[Keeping] = WeakSet()

    def tell_me(self, one: Keeping) -> None:
        """From now on, as long as it lives."""
        self._keeping.add(one)

    def tell(self) -> None:
        """Something shown has changed, and everybody may see it."""
        for one in list(self._keeping):
            one.outdate()
