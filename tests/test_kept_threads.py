"""Requests share a few threads, so that each finds its database connection open."""

import asyncio
import threading
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async

from helpdesk.kept_threads import KeptThreads


def test_many_requests_run_on_few_threads() -> None:
    seen: list[int] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext():  # as django.core.handlers.asgi does
            seen.append(await sync_to_async(threading.get_ident)())

    async def serve() -> None:
        kept = KeptThreads(application, threads=2)
        await asyncio.gather(*(kept({"type": "http"}, None, None) for _ in range(40)))  # type: ignore[arg-type]

    asyncio.run(serve())
    assert len(seen) == 40
    assert len(set(seen)) <= 2
