"""The one guard for fetching an address that a user typed: webhook targets, feeds, pictures, media links.

A helpdesk sits inside somebody's network; without this, anyone who may enter a URL may make it call the router, the
cloud's metadata service or the database (server-side request forgery, OWASP SSRF). The name is resolved here, *every*
address it has must be public, and the connection is made to exactly those addresses, so a second, different DNS
answer cannot slip in. A redirect is returned, not followed; if a caller follows one, the new hop is checked again.

Base URLs of providers (`PAGERDUTY_BASE_URL` and the like) do not pass through here: they come from the operator's
environment, whoever can set them already owns the machine, and a stand-in on loopback is a promised use of them.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from helpdesk.events.outcomes import NeverRetry, RetryLater

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 2048
MOST_ADDRESSES = 4
CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
LARGEST_RESPONSE = 64 * 1024
_PORTS = {"https": {443, 8443}, "http": {80, 8080}}
# Written out rather than left to `is_global`, whose meaning changed between Python patch releases.
_REFUSED_V4 = tuple(
    IPv4Network(net)
    for net in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
# Only global unicast is let through, so loopback, ULA, link-local, multicast, IPv4-mapped and NAT64 need no entry;
# within it: IETF protocol space with Teredo, documentation, 6to4 (which hides an IPv4 address), AS112.
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    IPv6Network(net)
    for net in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20")
)


class RefusedTarget(NeverRetry):
    """The address is not one we call: wrong scheme, port, credentials in it, or it leads into a private network."""


class ResponseTooLarge(NeverRetry):
    """The answer was longer than allowed, or compressed although none was asked for."""


@dataclass(frozen=True)
class ResolvedTarget:
    """A checked address: the parsed `url`, its `host` in ASCII (IDNA), its `port`, the `addresses` to connect to."""

    url: httpx.URL
    host: str
    port: int
    addresses: tuple[Address, ...]


def is_public(address: Address) -> bool:
    """Whether the address belongs to the open internet (IANA special-purpose registries, RFC 6890 and successors)."""
    if isinstance(address, IPv4Address):
        return not any(address in net for net in _REFUSED_V4)
    return address in _GLOBAL_UNICAST_V6 and not any(address in net for net in _REFUSED_V6)


def check_url(url: str, *, https_only: bool = True, allowed: Sequence[Network] = ()) -> ResolvedTarget:
    """Parse, apply the policy, resolve, and check every address. Blocks on DNS: not for the event loop.

    `allowed` are networks the operator vouches for (a webhook receiver in the same data centre); within them any port
    will do, and plain http. Raises RefusedTarget, or RetryLater when the name does not resolve now.
    """
    parsed = _parse(url, https_only=https_only and not allowed)
    host = parsed.raw_host.decode("ascii")
    port = parsed.port if parsed.port is not None else (443 if parsed.scheme == "https" else 80)
    addresses = _resolve(host, port)
    vouched = all(any(address in net for net in allowed) for address in addresses)
    if not vouched:
        if https_only and parsed.scheme != "https":
            raise RefusedTarget("only https addresses are called")
        if port not in _PORTS[parsed.scheme]:
            raise RefusedTarget(f"port {port} is not allowed in an outgoing address")
        for address in addresses:
            if not is_public(address) and not any(address in net for net in allowed):
                raise RefusedTarget(f"{host} leads to {address}, which is not on the public internet")
    return ResolvedTarget(parsed, host, port, addresses[:MOST_ADDRESSES])


def networks(text: str) -> tuple[Network, ...]:
    """Networks from a setting: comma-separated CIDR blocks. Raises ValueError on one that makes no sense."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _parse(url: str, *, https_only: bool) -> httpx.URL:
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url or "\\" in url:
        raise RefusedTarget("the address is too long or holds characters that do not belong in a URL")
    try:
        # httpx parses here and connects later: one parser, so there is no second opinion on what the host is.
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise RefusedTarget(f"not a URL: {error}") from error
    if parsed.scheme not in (("https",) if https_only else ("https", "http")):
        raise RefusedTarget("only https addresses are called" if https_only else "only http(s) addresses are called")
    if parsed.port is not None and not 0 < parsed.port < 2**16:
        raise RefusedTarget("there is no such port")
    if parsed.userinfo:
        raise RefusedTarget("a name or password in the address is not allowed")
    if not parsed.raw_host or b"%" in parsed.raw_host or len(parsed.raw_host) > 253:
        raise RefusedTarget("the address names no host")
    return parsed


def _resolve(host: str, port: int) -> tuple[Address, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise RefusedTarget("the host name is not a name") from error
    except OSError as error:
        raise RetryLater(f"{host} does not resolve: {error.strerror or error}") from error
    # A scope ("fe80::1%2") is kept by ip_address and is link-local anyway, so it is refused by the policy.
    addresses = dict.fromkeys(ip_address(str(entry[4][0])) for entry in found)
    if not addresses:
        raise RetryLater(f"{host} does not resolve")
    return tuple(addresses)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Checks each request's URL, connects to the addresses just checked, and bounds time and size of the answer.

    The TLS name and the Host header stay those of the URL, only the connection goes to the number. Nothing is kept
    alive: a pooled connection is filed under the number alone and would be reused for another name behind it.
    """

    def __init__(
        self,
        *,
        https_only: bool = True,
        allowed: Sequence[Network] = (),
        total_seconds: float = TOTAL_SECONDS,
        largest_response: int = LARGEST_RESPONSE,
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._https_only = https_only
        self._allowed = tuple(allowed)
        self._total_seconds = total_seconds
        self._largest_response = largest_response
        self._inner = inner or httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=0), trust_env=False
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange; raises what `check_url` raises, ResponseTooLarge, or httpx's transport errors."""
        deadline = asyncio.get_running_loop().time() + self._total_seconds
        try:
            async with asyncio.timeout_at(deadline):
                target = await asyncio.to_thread(
                    check_url, str(request.url), https_only=self._https_only, allowed=self._allowed
                )
                response = await self._exchange(request, target)
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no answer within {self._total_seconds:g} s", request=request) from error
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
            await response.aclose()
            raise ResponseTooLarge("the answer is compressed although that was not asked for")
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _CappedStream(response.stream, request, deadline, self._largest_response)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _exchange(self, request: httpx.Request, target: ResolvedTarget) -> httpx.Response:
        *others, last = target.addresses
        for address in others:
            try:
                return await self._inner.handle_async_request(_pinned(request, target, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent yet: the next address of the same name is as good
        return await self._inner.handle_async_request(_pinned(request, target, last))


def _pinned(request: httpx.Request, target: ResolvedTarget, address: Address) -> httpx.Request:
    headers = httpx.Headers(request.headers)
    headers["Accept-Encoding"] = "identity"
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": target.host},
    )


class _CappedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, request: httpx.Request, deadline: float, most: int) -> None:
        self._stream, self._request, self._deadline, self._left = (stream, request, deadline, most)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._stream)
        while True:
            try:
                async with asyncio.timeout_at(self._deadline):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise httpx.ReadTimeout("the answer took too long", request=self._request) from error
            self._left -= len(chunk)
            if self._left < 0:
                raise ResponseTooLarge("the answer is longer than allowed")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def guarded_client(
    *,
    https_only: bool = True,
    allowed: Sequence[Network] = (),
    total_seconds: float = TOTAL_SECONDS,
    largest_response: int = LARGEST_RESPONSE,
) -> httpx.AsyncClient:
    """The client for addresses given by users: guarded, no redirects, no proxies or credentials of the environment."""
    return httpx.AsyncClient(
        transport=GuardedTransport(
            https_only=https_only, allowed=allowed, total_seconds=total_seconds, largest_response=largest_response
        ),
        timeout=httpx.Timeout(total_seconds, connect=min(CONNECT_SECONDS, total_seconds)),
        follow_redirects=False,
        trust_env=False,
    )
