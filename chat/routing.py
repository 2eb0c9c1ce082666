"""Where the sockets are. Channels' own router raises an error for every address it does not know, which anybody may ask
for.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from chat.sockets import Receive, Scope, Send, agent_socket

SOCKETS: Final[Mapping[str, Callable[[Scope, Receive, Send], Awaitable[None]]]] = {"/ws/agent": agent_socket}


async def websockets(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application of all sockets; others are refused."""
    socket = SOCKETS.get(scope["path"])
    if socket is None:
        await receive()
        await send({"type": "websocket.close"})
        return
    await socket(scope, receive, send)
