"""One file from Twilio: from the address we were configured with, wherever it leads on, never into our own network.

The account's credentials go to that address alone. Where it redirects to, a store of theirs, is fetched without them
and only on the public internet; what an operator has configured (a stand-in on loopback) is vouched for by them.
"""

import asyncio
import socket
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Final

import httpx

from helpdesk.events import fetching
from helpdesk.events.outcomes import NeverRetry, RetryLater, asked_wait
from helpdesk.events.outgoing import Network

LARGEST: Final = 24 * 1024 * 1024
"""Bytes; three minutes are 1.5 MB as MP3 and 3 MB as WAV."""


async def fetch(url: str, headers: Mapping[str, str]) -> bytes:
    """The file at `url`, an address of the configured provider. Raises a DeliveryError; RetryLater where it may be
    there later, as a recording is that Twilio has just told of.
    """
    allowed = await asyncio.to_thread(_networks_of, httpx.URL(url).host)
    return _content(await fetching.fetch(url, headers, largest=LARGEST, allowed=allowed))


def _content(answer: httpx.Response) -> bytes:
    if answer.status_code == 200:
        return answer.content
    reason = f"Twilio answered {answer.status_code} when asked for the file"
    # 404 as well: a recording is told of a moment before it can be fetched.
    if answer.status_code in (404, 408, 425, 429) or answer.status_code >= 500:
        raise RetryLater(reason, asked_wait(answer.headers))
    raise NeverRetry(reason)


def _networks_of(host: str) -> tuple[Network, ...]:
    """The addresses of a host whose name the operator has given."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise RetryLater(f"{host} does not resolve: {error.strerror or error}") from error
    return tuple({ip_network(str(entry[4][0]).partition("%")[0]) for entry in found})
