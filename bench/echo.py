"""What a page's socket costs when nothing is promised: a Channels consumer that sends back what it is sent, and one
that writes it into a table first. For uvicorn: `bench.echo:plain` and `bench.echo:inserting`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import django
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter

django.setup(set_prefix=False)

from django.db import connection  # noqa: E402
from django.urls import path  # noqa: E402

_INSERT = "INSERT INTO bare.message (body, at) VALUES (%s, now())"


class Echo(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Sends back what it is sent."""

    async def connect(self) -> None:
        await self.accept("desk.v1")

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send(text_data=text_data)


class InsertingEcho(Echo):
    """Once it is committed."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await database_sync_to_async(_insert)(text_data or "")
        await self.send(text_data=text_data)


def _insert(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [text])


async def _alive(
    scope: Mapping[str, Any],
    receive: Callable[[], Awaitable[Mapping[str, Any]]],
    send: Callable[[Mapping[str, Any]], Awaitable[None]],
) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


plain = ProtocolTypeRouter({"http": _alive, "websocket": URLRouter([path("echo", Echo.as_asgi())])})
inserting = ProtocolTypeRouter({"http": _alive, "websocket": URLRouter([path("echo", InsertingEcho.as_asgi())])})
