"""One HTTP call to a provider whose address the operator configured: bounded in time and size, errors classed.

Addresses typed by users never come here; they go through `helpdesk.events.outgoing`.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from helpdesk.events.outcomes import Ambiguous, NeverRetry, RetryLater
from helpdesk.events.safe_text import one_line

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
LARGEST_ANSWER = 64 * 1024  # bytes
# Waiting for a free connection ends well before the total, so that it is told apart from a lost answer.
_PHASES = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS, pool=TOTAL_SECONDS / 2)


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers (case-insensitive), and the body, cut off where the caller said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is anything else (a proxy's error page, half an answer)."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def excerpt(self) -> str:
        """The start of the body on one line, for an error message."""
        return one_line(self.body.decode("utf-8", "replace"), 200)


def provider_client() -> httpx.AsyncClient:
    """One connection to one provider, kept open; for calls side by side take several.

    A pool of connections costs more than what it holds: httpx looks at every one of them for each request (the same
    calls, eight at once, took 1.5 ms of processor time each with a pool of eight and 0.9 with eight of these).
    """
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30.0)
    return httpx.AsyncClient(verify=_tls(), limits=limits, timeout=_PHASES, follow_redirects=False)


class ProviderClients:
    """So many clients for calls side by side; made when first needed, closed together.

    Waiting for `one()` is how calls beyond that number wait. The one used last is lent first: its connection is warm.
    """

    def __init__(self, number: int) -> None:
        self._free: asyncio.LifoQueue[httpx.AsyncClient | None] = asyncio.LifoQueue()
        self._open = AsyncExitStack()
        for _ in range(number):
            self._free.put_nowait(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client that nobody else uses meanwhile."""
        client = await self._free.get()
        try:
            if client is None:
                client = await self._open.enter_async_context(provider_client())
            yield client
        finally:
            self._free.put_nowait(client)


@cache
def _tls() -> ssl.SSLContext:
    """Reading the certificate authorities takes 30 ms, too much for every round of a sweep."""
    return httpx.create_ssl_context()


async def post_json(
    client: httpx.AsyncClient, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Answer:
    """POST `body` as JSON; the answer whatever its status. Redirects are not followed.

    Raises RetryLater when the provider was not reached, Ambiguous when the request had begun to leave and no complete
    answer came within TOTAL_SECONDS, NeverRetry when the configured address or token makes no sense.
    """
    content = json.dumps(body, ensure_ascii=True).encode()
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return await call(client, "POST", url, {**kind, **(headers or {})}, content=content)


async def post_form(
    client: httpx.AsyncClient, url: str, form: Sequence[tuple[str, str]], headers: Mapping[str, str]
) -> Answer:
    """POST a form; otherwise as `post_json`."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return await call(client, "POST", url, {**kind, **headers}, content=urlencode(form).encode())


async def get_json(
    client: httpx.AsyncClient,
    url: str,
    parameters: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    largest: int = LARGEST_ANSWER,
) -> Answer:
    """GET; at most `largest` bytes of the answer. Raises as `post_json` does, except that a lost answer is RetryLater:
    reading changes nothing.
    """
    try:
        return await call(client, "GET", url, headers, parameters=parameters, largest=largest)
    except Ambiguous as error:
        raise RetryLater(error.reason) from error


async def call(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    content: bytes | None = None,
    parameters: Sequence[tuple[str, str]] | None = None,
    largest: int = LARGEST_ANSWER,
) -> Answer:
    """One exchange, whatever its method; `content` is encoded already. Raises as `post_json` does."""
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            async with client.stream(
                method,
                url,
                content=content,
                params=None if parameters is None else list(parameters),
                headers={"Accept-Encoding": "identity", **headers},
                timeout=_PHASES,
                follow_redirects=False,
            ) as response:
                return Answer(response.status_code, response.headers, await _read_capped(response, largest))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
        raise RetryLater(f"not reached: {_describe(error)}") from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise NeverRetry(f"the configured address cannot be called: {_describe(error)}") from error
    except (httpx.LocalProtocolError, UnicodeEncodeError):
        # Without the original error: it quotes the header, and the header is where the token is.
        raise NeverRetry("the configured token holds characters that no HTTP header can carry") from None
    except (httpx.HTTPError, TimeoutError) as error:
        raise Ambiguous(f"no complete answer: {_describe(error)}") from error


async def _read_capped(response: httpx.Response, largest: int) -> bytes:
    # Raw, never decoded: we asked for no compression, and a bomb that came anyway must not be unpacked.
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk[: largest - len(body)]
        if len(body) >= largest:
            break
    return bytes(body)


def _describe(error: Exception) -> str:
    return one_line(f"{type(error).__name__} {error}", 200)
