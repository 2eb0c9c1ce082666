"""Requests by uvicorn on threads that stay, each with a database connection that stays.

Django's ASGI handler gives every request a thread of its own (ThreadSensitiveContext), so CONN_MAX_AGE keeps nothing:
each request opens a connection to PostgreSQL, which costs more than the request, and old ones linger until they are
collected, up to "too many clients". A context entered outside is used instead of a new one (asgiref.sync), so a few of
them are lent to one request after the other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asgiref.sync import SyncToAsync, ThreadSensitiveContext

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

THREADS = 8


class KeptThreads:
    """At most `threads` requests at once in this process; the others wait. Sockets pass through."""

    def __init__(self, application: Application, threads: int = THREADS) -> None:
        self._application = application
        self._free: asyncio.LifoQueue[ThreadSensitiveContext] = asyncio.LifoQueue()
        for _ in range(threads):
            self._free.put_nowait(ThreadSensitiveContext())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        context = await self._free.get()
        mark = SyncToAsync.thread_sensitive_context.set(context)
        try:
            await self._application(scope, receive, send)
        finally:
            SyncToAsync.thread_sensitive_context.reset(mark)
            self._free.put_nowait(context)
