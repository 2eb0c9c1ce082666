"""Who asks, behind a proxy: its word counts, and nobody else's."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from helpdesk.behind_proxy import BehindProxy, address_in

PROXY = ("172.18.0.1", 51000)


def _seen(headers: list[tuple[bytes, bytes]], kind: str = "http") -> object:
    """Who the application behind it sees."""
    seen: list[object] = []

    async def application(scope: dict[str, Any], receive: object, send: object) -> None:
        seen.append(scope.get("client"))

    async def nothing(*_: object) -> Mapping[str, Any]:
        return {}

    async def none(_: Mapping[str, Any]) -> None: ...

    scope: dict[str, Any] = {"type": kind, "headers": headers, "client": PROXY}
    asyncio.run(BehindProxy(application)(scope, nothing, none))
    assert scope["client"] == PROXY, "the scope is the server's own"
    (found,) = seen
    return found


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_last_address_is_the_proxys_word(kind: str) -> None:
    assert _seen([(b"x-forwarded-for", b"6.6.6.6, 203.0.113.7")], kind) == ("203.0.113.7", 0)
    assert _seen([(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"203.0.113.7")], kind) == ("203.0.113.7", 0)


def test_without_its_word_it_is_the_proxy_itself() -> None:
    for headers in ([], [(b"x-forwarded-for", b"unknown")], [(b"x-forwarded-for", b"203.0.113.7, \xff")]):
        assert _seen(headers) == PROXY


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("203.0.113.7:4711", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("203.0.113.7, ", ""),
        ("", ""),
        ("[", ""),
    ],
)
def test_addresses_as_proxies_write_them(told: str, address: str) -> None:
    assert address_in(told) == address
