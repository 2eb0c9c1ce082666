"""Where the sockets are, and the requests that wait.

Channels' own router raises an error for every address it does not know, which anybody may ask for.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from chat.long_poll import is_for, long_poll
from chat.sockets import Receive, Scope, Send, agent_socket
from chat.visitor_socket import visitor_socket

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
SOCKETS: Final[Mapping[str, Application]] = {
    "/ws/agent": agent_socket,
    "/ws/chat": visitor_socket,
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
