"""One HTTP call to a provider whose address the operator configured: bounded in time and size, errors classed.

Addresses typed by users never come here; they go through `helpdesk.events.outgoing`.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from helpdesk.events.outcomes import Ambiguous, NeverRetry, RetryLater
from helpdesk.events.safe_text import one_line

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
LARGEST_ANSWER = 64 * 1024
# Waiting for a free connection ends well before the total, so that it is told apart from a lost answer.
_PHASES = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS, pool=TOTAL_SECONDS / 2)
_CONNECTIONS = 8


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers (case-insensitive), and at most LARGEST_ANSWER bytes of the body."""

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
    """A client for one provider; take one for each, or a provider that hangs holds up the others.

    Few connections on purpose: httpx looks at every one of them for each request (measured against a local server:
    8 gave 590 calls a second, 50 gave 210), and no provider we call takes more than a few calls a second for long.
    """
    limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=30.0)
    return httpx.AsyncClient(verify=_tls(), limits=limits, timeout=_PHASES, follow_redirects=False)


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
    request_headers = {"Content-Type": "application/json; charset=utf-8", "Accept-Encoding": "identity"}
    content = json.dumps(body, ensure_ascii=True).encode()
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            async with client.stream(
                "POST",
                url,
                content=content,
                headers={**request_headers, **(headers or {})},
                timeout=_PHASES,
                follow_redirects=False,
            ) as response:
                return Answer(response.status_code, response.headers, await _read_capped(response))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
        raise RetryLater(f"not reached: {_describe(error)}") from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise NeverRetry(f"the configured address cannot be called: {_describe(error)}") from error
    except (httpx.LocalProtocolError, UnicodeEncodeError):
        # Without the original error: it quotes the header, and the header is where the token is.
        raise NeverRetry("the configured token holds characters that no HTTP header can carry") from None
    except (httpx.HTTPError, TimeoutError) as error:
        raise Ambiguous(f"no complete answer: {_describe(error)}") from error


async def _read_capped(response: httpx.Response) -> bytes:
    # Raw, never decoded: we asked for no compression, and a bomb that came anyway must not be unpacked.
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk[: LARGEST_ANSWER - len(body)]
        if len(body) >= LARGEST_ANSWER:
            break
    return bytes(body)


def _describe(error: Exception) -> str:
    return one_line(f"{type(error).__name__} {error}", 200)
