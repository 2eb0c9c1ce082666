"""What the status page's requests are compared with, for uvicorn: one that sends the same bytes and knows nothing else,
and Django alone, which makes each page anew from PostgreSQL.
"""

import os
from typing import Any

import django

from helpdesk.threaded_requests import ThreadedRequests

_BODY = b"x" * int(os.environ.get("BENCH_BYTES", "2000"))
_HEADERS = [(b"content-type", b"text/html"), (b"content-length", str(len(_BODY)).encode())]


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """As little as an ASGI application can do."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


def uncached() -> ThreadedRequests:
    """Django without the layer before it."""
    django.setup(set_prefix=False)
    return ThreadedRequests()
