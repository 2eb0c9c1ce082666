"""Requests by uvicorn on a few threads that stay, each with a database connection that stays; Django all synchronous.

Django's own ASGI handler runs its middleware in the event loop and every view on a thread of its own: each request then
changes threads many times and opens a connection to PostgreSQL, which together cost more than the request. Here a body
is received in the event loop, where slow clients cost nothing, and the whole request is one call on one thread.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import IO, Any, Final

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
# Views by the whole path, each called with the path's named parts.
Direct = Mapping[re.Pattern[str], Callable[..., HttpResponseBase]]

THREADS: Final = 8
# A mail of MAIL_SIZE_LIMIT that a provider posts in base64, twice over. Views have stricter limits of their own.
MAX_REQUEST_BYTES: Final = 100 * 1024 * 1024
_TOO_LARGE: Final = b"The request is too large."


class TooLarge(Exception):
    """More bytes were sent than any request of ours has."""


class ThreadedRequests(ASGIHandler):
    """Answers HTTP with at most `threads` requests at once in this process; the others wait.

    `direct` are the few views that are asked all the time and look at neither cookie, host nor language: without
    middleware and without searching all addresses, which cost them a third of their time.
    """

    def __init__(self, threads: int = THREADS, direct: Direct | None = None) -> None:
        # Not ASGIHandler's own: that would load the middleware as asynchronous.
        BaseHandler.__init__(self)
        self.load_middleware()
        self._threads = ThreadPoolExecutor(threads, "request")
        self._direct = dict(direct or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"this answers HTTP only, not {scope['type']}")
        try:
            body = await self.read_body(_bounded(scope, receive))
        except RequestAborted:
            return
        except TooLarge:
            await _refuse(send)
            return
        loop = asyncio.get_running_loop()
        response, content = await loop.run_in_executor(self._threads, self._answer, scope, body)
        await send({"type": "http.response.start", "status": response.status_code, "headers": _headers(response)})
        if content is not None:
            await send({"type": "http.response.body", "body": content})
            return
        try:
            parts = iter(response)
            while (part := await loop.run_in_executor(self._threads, _next, parts)) is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await loop.run_in_executor(self._threads, response.close)

    def _answer(self, scope: Scope, body: IO[bytes]) -> tuple[HttpResponseBase, bytes | None]:
        """The response, finished and with its content unless it streams. Runs on one of the threads."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        if request is None:
            body.close()  # otherwise the response closes the request, and that the body
        response = refusal if request is None else self._respond(request)
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if isinstance(response, StreamingHttpResponse):
            return response, None
        assert isinstance(response, HttpResponse), "what does not stream has its content"
        content = response.content
        response.close()
        return response, content

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        for path, view in self._direct.items():
            found = path.fullmatch(request.path_info)
            if found is not None:
                response = convert_exception_to_response(partial(view, **found.groupdict()))(request)
                assert isinstance(response, HttpResponse), "it is answered here and at once"
                # As Django's own get_response does.
                response._resource_closers.append(request.close)  # type: ignore[attr-defined]
                response["X-Content-Type-Options"] = "nosniff"
                response["Content-Length"] = str(len(response.content))
                return response
        return self.get_response(request)


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """`receive`, raising TooLarge as soon as it is known that more is coming than may come."""
    seen = 0

    async def bounded() -> Mapping[str, Any]:
        nonlocal seen
        if _announced(scope) > MAX_REQUEST_BYTES:
            raise TooLarge
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_REQUEST_BYTES:
            raise TooLarge
        return message

    return bounded


def _announced(scope: Scope) -> int:
    """The Content-Length (the server has checked that it is a number), 0 where there is none."""
    return next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _TOO_LARGE})


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    cookies = [cookie.output(header="").strip().encode("ascii") for cookie in response.cookies.values()]
    return headers + [(b"Set-Cookie", cookie) for cookie in cookies]


def _next(parts: Iterator[bytes]) -> bytes | None:
    """The next part of a streaming response; None at the end, since StopIteration cannot leave a future."""
    return next(parts, None)
