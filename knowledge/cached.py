"""The help centre before Django: what anybody may read is answered from memory, by the event loop alone. What it does
not know, and everybody who is signed in, goes on to the others.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from django.db import DatabaseError, InterfaceError

from helpdesk.customers import sessions
from helpdesk.kept import send as send_kept
from helpdesk.made_once import MadeOnce
from knowledge import asked as addressed
from knowledge import seen, serving
from knowledge.asked import Asked
from knowledge.keeping import Keeper, Page

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_KNOWN: Final = 5_000
COOKIE: Final = f"{sessions.COOKIE}=".encode()


class HelpFirst:
    """The ASGI application."""

    def __init__(self, others: Application, keeper: Keeper | None = None) -> None:
        self._others = others
        self._keeper = keeper or Keeper()
        self._once = MadeOnce("help centre")
        self._known: dict[str, Asked | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._asked(scope) if scope["type"] == "http" else None
        if asked is None:
            await self._others(scope, receive, send)
            return
        accepted = language = validator = b""
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                accepted = value
            elif name == b"accept-language":
                language = value
            elif name == b"if-none-match":
                validator = value
            elif name == b"cookie" and COOKIE in value:
                await self._others(scope, receive, send)
                return
        wanted = asked.language or serving.language_of(language.decode("latin-1"))
        page = None if self._keeper.is_due else self._keeper.find(asked, wanted)
        if page is None:
            page = await self._page(asked, wanted)
        if page is None:
            await self._others(scope, receive, send)
            return
        if page.article_id and scope["method"] == "GET":
            seen.count(page.article_id)
        await send_kept(page.kept, accepted, validator, scope["method"] == "HEAD", send)

    def close(self) -> None:
        """End the threads that make pages, and their connections."""
        self._once.close()

    def _asked(self, scope: Scope) -> Asked | None:
        path = scope["path"]
        if scope["method"] not in ("GET", "HEAD") or scope["query_string"]:
            return None
        if path in self._known:
            return self._known[path]
        found = addressed.parse(path)
        # Those that lead elsewhere are answered by Django; only what is asked for by many is remembered.
        found = None if found is not None and found.kind == "permanent" else found
        if found is not None and len(self._known) < MOST_KNOWN:
            self._known[path] = found
        return found

    async def _page(self, asked: Asked, language: str) -> Page | None:
        """The page from memory; made by a thread where there is none, once for all who wait for it."""
        if self._keeper.is_due:
            await self._once.wait("look", self._keeper.look)
        page = self._keeper.find(asked, language)
        if page is not None:
            return page
        try:
            return await self._once.wait((asked, language), self._keeper.make, asked, language)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("a page of the help centre cannot be made: %s", type(error).__name__)
            return self._keeper.find_old(asked, language)
