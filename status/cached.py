"""The public status page before Django: answered from memory, by the event loop alone, with or without PostgreSQL and
Redis. The outermost application; what it does not know goes on to the others.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from helpdesk.customers import sessions
from helpdesk.kept import Kept
from helpdesk.kept import send as send_kept
from helpdesk.made_once import MadeOnce
from status import answers, serving
from status.answers import Asked
from status.keeping import Keeper, NothingToShow

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIX: Final = "/status/"
# Some clients, Statuspage's own widget among them, know only a host.
API_OF_HOST: Final = "/api/v2/"
# Addresses that were found to be public ones; there are few but those of incidents.
MOST_KNOWN: Final = 5000
COOKIE: Final = f"{sessions.COOKIE}=".encode()
_BUSY: Final = b"The status page cannot be shown right now. Please try again in a moment."
_EMPTY: Final = {"type": "http.response.body", "body": b""}


class StatusFirst:
    """The ASGI application. The pages of customers who are signed in are Django's."""

    def __init__(self, others: Application, keeper: Keeper | None = None) -> None:
        self._others = others
        self._keeper = keeper or Keeper(settings.DATA_DIR / "status-page", timezone.now)
        self._once = MadeOnce("status")
        self._known: dict[str, Asked] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith((PREFIX, API_OF_HOST)):
            await self._others(scope, receive, send)
            return
        asked = self._known.get(scope["path"]) or self._find(scope["path"])
        method = scope["method"]
        if asked is None or method not in ("GET", "HEAD", "OPTIONS"):
            await self._others(scope, receive, send)
        elif method == "OPTIONS":
            await _allow(asked, send)
        else:
            await self._answer(asked, scope, receive, send)

    def close(self) -> None:
        """End the threads that make answers, and their connections."""
        self._once.close()

    def _find(self, path: str) -> Asked | None:
        asked = answers.parse(path.removeprefix(PREFIX if path.startswith(PREFIX) else "/"))
        if asked is not None and len(self._known) < MOST_KNOWN:
            self._known[path] = asked
        return asked

    async def _answer(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        accepted = language = validator = b""
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                accepted = value
            elif name == b"accept-language":
                language = value
            elif name == b"if-none-match":
                validator = value
            elif name == b"cookie" and asked.is_personal and COOKIE in value:
                await self._others(scope, receive, send)
                return
        try:
            kept = await self._kept(asked, language)
        except (DatabaseError, InterfaceError, NothingToShow) as error:
            logger.warning("the status page has nothing to show at %s: %s", scope["path"], type(error).__name__)
            await _say_busy(send)
            return
        if kept is None:
            await self._others(scope, receive, send)
            return
        await send_kept(kept, accepted, validator, scope["method"] == "HEAD", send)

    async def _kept(self, asked: Asked, accepted: bytes) -> Kept | None:
        """The answer from memory; made by a thread where there is none, once for all who wait for it."""
        if self._keeper.generation is None:
            await self._once.wait("start", self._keeper.start)
        while self._keeper.is_outdated:
            await self._once.wait("renewal", self._keeper.renew)
        generation = self._keeper.generation
        assert generation is not None, "it has been started"
        language = asked.language or (
            serving.language_of(accepted.decode("latin-1"), generation.shown.language)
            if asked.is_page
            else generation.shown.language
        )
        key = (asked, language)
        generation.asked[key] += 1
        kept = generation.answers.get(key)
        return kept if kept is not None else await self._once.wait(key, self._keeper.make, asked, language)


async def _allow(asked: Asked, send: Send) -> None:
    """What browsers ask before a script of another origin asks with headers of its own."""
    headers = [(b"allow", b"GET, HEAD, OPTIONS"), (b"content-length", b"0")]
    if not asked.is_page:
        headers += [
            (b"access-control-allow-origin", b"*"),
            (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
            (b"access-control-allow-headers", b"*"),
            (b"access-control-max-age", b"86400"),
        ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send(_EMPTY)


async def _say_busy(send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain"),
        (b"cache-control", b"no-store"),
        (b"retry-after", b"2"),
        (b"access-control-allow-origin", b"*"),
        (b"content-length", str(len(_BUSY)).encode()),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": _BUSY})
