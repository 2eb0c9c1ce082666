"""HTTP under uvicorn: few threads that stay, bodies received without holding one, nothing done for who has gone."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import pytest
from django.core.signals import request_finished
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from helpdesk import threaded_requests, urls
from helpdesk.threaded_requests import ThreadedRequests

pytestmark = pytest.mark.urls(__name__)

Message = Mapping[str, Any]
_closed: list[str] = []


def thread(request: HttpRequest) -> HttpResponse:
    return HttpResponse(threading.current_thread().name)


@csrf_exempt
def echo(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(request.body, headers={"X-Forwarded-For-Seen": request.headers.get("X-Forwarded-For", "")})
    response.set_cookie("seen", "yes")
    return response


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        try:
            yield from (b"one ", b"two ", b"three")
        finally:
            _closed.append(request.path)

    return StreamingHttpResponse(parts())


def download(request: HttpRequest) -> FileResponse:
    return FileResponse(BytesIO(b"x" * 200_000))


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a bug")


urlpatterns = [
    path("thread/", thread),
    path("echo/", echo),
    path("stream/", stream),
    path("download/", download),
    path("broken/", broken),
    *urls.urlpatterns,
]


@asynccontextmanager
async def serving(threads: int = 2) -> AsyncIterator[ThreadedRequests]:
    application = ThreadedRequests(threads)
    yield application
    application._threads.shutdown()


async def ask(
    application: ThreadedRequests,
    address: str,
    bodies: tuple[bytes, ...] = (b"",),
    headers: tuple[tuple[bytes, bytes], ...] = (),
    receive: Callable[[], Awaitable[Message]] | None = None,
) -> list[Message]:
    """What the application sends for one request."""
    waiting = list(bodies)
    sent: list[Message] = []

    async def next_body() -> Message:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST" if bodies != (b"",) or receive else "GET",
        "path": address,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
        "http_version": "1.1",
    }
    await application(scope, receive or next_body, send)
    return sent


def content(sent: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent[1:])


def test_many_requests_run_on_few_threads() -> None:
    async def run() -> set[bytes]:
        async with serving(threads=2) as application:
            answers = await asyncio.gather(*(ask(application, "/thread/") for _ in range(40)))
            assert all(answer[0]["status"] == 200 for answer in answers)
            return {content(answer) for answer in answers}

    assert len(asyncio.run(run())) <= 2


def test_a_slow_body_holds_no_thread() -> None:
    async def run() -> None:
        async with serving(threads=1) as application:
            rest = asyncio.Event()
            parts = [b"slow ", b"body"]

            async def slowly() -> Message:
                if len(parts) == 1:
                    await rest.wait()
                return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

            slow = asyncio.create_task(ask(application, "/echo/", receive=slowly))
            assert (await ask(application, "/echo/", (b"quick",)))[0]["status"] == 200
            assert not slow.done()
            rest.set()
            assert content(await slow) == b"slow body"

    asyncio.run(run())


def test_who_leaves_within_the_body_has_asked_nothing() -> None:
    async def run() -> None:
        async with serving() as application:
            messages: list[Message] = [
                {"type": "http.request", "body": b"half", "more_body": True},
                {"type": "http.disconnect"},
            ]

            async def receive() -> Message:
                return messages.pop(0)

            assert await ask(application, "/echo/", receive=receive) == []

    asyncio.run(run())


@pytest.mark.parametrize("headers", [(), ((b"content-length", b"31"),)], ids=["found out", "announced"])
def test_a_body_has_an_end(monkeypatch: pytest.MonkeyPatch, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    monkeypatch.setattr(threaded_requests, "MAX_REQUEST_BYTES", 30)
    read = 0

    async def run() -> None:
        async with serving() as application:

            async def receive() -> Message:
                nonlocal read
                read += 1
                return {"type": "http.request", "body": b"ten bytes!", "more_body": True}

            sent = await ask(application, "/echo/", headers=headers, receive=receive)
            assert sent[0]["status"] == 413
            assert (b"connection", b"close") in sent[0]["headers"]
            assert b"too large" in content(sent)
            assert (await ask(application, "/echo/", (b"ten bytes!",) * 3))[0]["status"] == 200

    asyncio.run(run())
    assert read == (0 if headers else 4)


def test_responses_stream_in_parts_and_are_closed() -> None:
    async def run() -> None:
        async with serving() as application:
            sent = await ask(application, "/stream/")
            assert [message["body"] for message in sent[1:]] == [b"one ", b"two ", b"three", b""]
            assert [message.get("more_body", False) for message in sent[1:]] == [True, True, True, False]
            assert _closed.pop() == "/stream/"
            sent = await ask(application, "/download/")
            assert content(sent) == b"x" * 200_000
            assert len(sent) == 1 + 4 + 1, "in parts of 64 kB"

    asyncio.run(run())


def test_headers_and_cookies() -> None:
    async def run() -> None:
        async with serving() as application:
            spoofed = ((b"x_forwarded_for", b"10.0.0.1"),)
            sent = await ask(application, "/echo/", (b"in two ", b"parts"), spoofed)
            assert content(sent) == b"in two parts"
            headers = sent[0]["headers"]
            assert (b"X-Forwarded-For-Seen", b"") in headers, "an underscore must not stand for a dash"
            assert any(name == b"Set-Cookie" and value.startswith(b"seen=yes") for name, value in headers)

    asyncio.run(run())


def test_a_bug_is_answered() -> None:
    async def run() -> None:
        async with serving() as application:
            assert (await ask(application, "/broken/"))[0]["status"] == 500
            assert (await ask(application, "/nowhere/"))[0]["status"] == 404

    asyncio.run(run())


def test_what_is_asked_all_the_time_goes_without_middleware_and_is_closed_like_all_else() -> None:
    ended: list[object] = []

    def note(sender: object, **_kwargs: object) -> None:
        ended.append(sender)

    def short(request: HttpRequest, number: str) -> HttpResponse:
        if number == "0":
            raise RuntimeError("a bug")
        return HttpResponse(f"{number} {request.body.decode()} {hasattr(request, 'session')}", status=201)

    async def run() -> None:
        application = ThreadedRequests(1, direct={re.compile(r"/short/(?P<number>\d)"): short})
        request_finished.connect(note)
        try:
            sent = await ask(application, "/short/7", (b"said",))
            assert (sent[0]["status"], content(sent)) == (201, b"7 said False")
            assert (b"Content-Length", b"12") in sent[0]["headers"]
            assert (b"X-Content-Type-Options", b"nosniff") in sent[0]["headers"]
            assert (await ask(application, "/short/0", (b"x",)))[0]["status"] == 500
            assert content(await ask(application, "/thread/")).startswith(b"request")
            assert (await ask(application, "/short/77"))[0]["status"] == 404
        finally:
            request_finished.disconnect(note)
            application._threads.shutdown()

    asyncio.run(run())
    assert len(ended) == 4


def test_sockets_are_not_answered_here() -> None:
    async def run() -> None:
        async with serving() as application:
            with pytest.raises(ValueError, match="not websocket"):
                await application({"type": "websocket"}, None, None)  # type: ignore[arg-type]

    asyncio.run(run())
