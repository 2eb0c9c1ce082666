"""Files from addresses that others give: redirects are followed with care, and what is no address is never tried."""

from collections.abc import Iterator

import pytest
from asgiref.sync import async_to_sync

from helpdesk.events import fetching
from helpdesk.events.outcomes import NeverRetry, RetryLater
from helpdesk.events.outgoing import RefusedTarget, networks
from social import files
from tests.fixtures.providers import ProviderServer, Received, Reply

LEADS_TO = {"/moved": "/file", "/round": "/round"}
LOOPBACK = networks("127.0.0.0/8")
fetch = async_to_sync(fetching.fetch)


class Host(ProviderServer):
    """`/file` is one; `/moved` redirects there, `/round` to itself."""

    def answer(self, request: Received) -> Reply:
        if request.path in LEADS_TO:
            return Reply(302, b"", {"Location": LEADS_TO[request.path]})
        return Reply(200, b"content")


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as server:
        yield server


def test_redirects_are_followed_without_the_credentials(host: Host) -> None:
    answer = fetch(
        f"{host.url}/moved", {"Authorization": "secret"}, largest=100, allowed=LOOPBACK, allowed_beyond=LOOPBACK
    )
    assert answer.content == b"content" and str(answer.url) == f"{host.url}/file"
    assert [request.headers.get("authorization") for request in host.received] == ["secret", None]


def test_each_hop_is_checked(host: Host) -> None:
    with pytest.raises(RefusedTarget):
        fetch(f"{host.url}/moved", {}, largest=100, allowed=LOOPBACK)
    assert [request.path for request in host.received] == ["/moved"]
    with pytest.raises(RefusedTarget):
        fetch(f"{host.url}/file", {}, largest=100)


def test_redirects_come_to_an_end(host: Host) -> None:
    with pytest.raises(NeverRetry, match="redirects"):
        fetch(f"{host.url}/round", {}, largest=100, allowed=LOOPBACK, allowed_beyond=LOOPBACK)
    assert len(host.received) == 1 + fetching.MOST_REDIRECTS


@pytest.mark.parametrize("url", ["https://[::1", "https://a.example/\x00", "file:///etc/x", ""])
def test_what_is_no_address_is_never_tried_again(url: str) -> None:
    """A post may name anything as its picture: it must not be able to stop the fetching of all others."""
    with pytest.raises(NeverRetry):
        files.fetch(url)


def test_nobody_there_may_be_there_later() -> None:
    with Host() as server:
        url = server.url
    with pytest.raises(RetryLater):
        fetch(url, {}, largest=100, allowed=LOOPBACK)
