"""Where the sockets are, and the requests that wait.

Channels' own router raises an error for every address it does not know, which anybody may ask for.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from chat.api.conversations import messages
from chat.long_poll import is_for, long_poll
from chat.sockets import Receive, Scope, Send, agent_socket
from chat.visitor_socket import visitor_socket

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
SOCKETS: Final[Mapping[str, Application]] = {
    "/ws/agent": agent_socket,
    "/ws/chat": visitor_socket,
}


def _say(request: HttpRequest, public_id: str) -> HttpResponse:
    response: HttpResponse = messages(request, UUID(public_id))
    return response


# What every message of every visitor comes by; the address has its name in chat/urls.py like all others.
DIRECT: Final = {
    re.compile(r"/chat/api/conversations/(?P<public_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/messages"): _say
}


def http(others: Application) -> Application:
    """The ASGI application of all requests: those that wait have one of their own."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        await (long_poll if is_for(scope) else others)(scope, receive, send)

    return routed


async def websockets(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application of all sockets; others are refused."""
    socket = SOCKETS.get(scope["path"])
    if socket is None:
        await receive()
        await send({"type": "websocket.close"})
        return
    await socket(scope, receive, send)
