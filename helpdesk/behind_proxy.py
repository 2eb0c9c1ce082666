"""Who asks, where a proxy stands in front (BEHIND_PROXY): otherwise everybody would come from the proxy's address, and
share what one network may do.
"""

from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from typing import Any, Final

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADER: Final = b"x-forwarded-for"


class BehindProxy:
    """The outermost ASGI application. The proxy adds the address that called it at the end of X-Forwarded-For; what
    stands before it is the caller's own word, and believed by nobody.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            told = [value for name, value in scope["headers"] if name == _HEADER]
            address = address_in(told[-1].decode("latin-1")) if told else ""
            if address:
                scope = {**scope, "client": (address, 0)}
        await self._application(scope, receive, send)


def address_in(told: str) -> str:
    """The last address of the header, without a port (`192.0.2.1:4711`, `[2001:db8::1]:4711`); "" for what is none."""
    last = told.rpartition(",")[2].strip()
    if last.startswith("["):
        last = last[1:].partition("]")[0]
    elif last.count(":") == 1:
        last = last.partition(":")[0]
    try:
        return str(ip_address(last))
    except ValueError:
        return ""
