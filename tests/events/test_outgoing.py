"""The guard for addresses typed by users: what is refused, that the checked number is what is called, the limits."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.events.outcomes import DeliveryError, RetryLater
from helpdesk.events.outgoing import (
    GuardedTransport,
    RefusedTarget,
    ResponseTooLarge,
    check_url,
    guarded_client,
    is_public,
    networks,
)
from tests.fixtures.providers import ProviderServer, Received, Reply

PUBLIC = "93.184.216.34"
LOOPBACK = networks("127.0.0.0/8")
Resolve = Callable[[str, list[str]], None]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """A resolver that knows only what a test tells it; numbers still resolve to themselves."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def lookup(host: str, port: int, *args: object, **kwargs: object) -> list[tuple[object, ...]]:
        if host not in known:
            try:
                return list(real(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
            except socket.gaierror:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
        return [(None, None, None, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return known.__setitem__


PRIVATE = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001::1", "2001:db8::1"),
    *("2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(RefusedTarget):
        check_url(f"https://{host}/")


@pytest.mark.parametrize("address", ["1.1.1.1", PUBLIC, "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_never_more_open_than_python(address: object) -> None:
    found = ip_address(str(address))
    if is_public(found):
        assert found.is_global and not found.is_multicast and not found.is_reserved


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "//x/",
        "",
        "https://",
        "https:///path",
        "hooks.example/x",
        "javascript:alert(1)",
        "https://user@hooks.example/",
        "https://user:pw@hooks.example/",
        "https://hooks.example:22/",
        "https://hooks.example:0/",
        "https://hooks.example:80/",
        "https://hooks.example:99999/",
        "https://hooks.example:99999999999999999999/",
        "https://hooks.example:-1/",
        "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example/\r\nHost: x",
        "https://hooks.example /",
        "https://hooks%2eexample/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://hooks.example/" + "a" * 3000,
        "https://" + "a." * 200 + "example/",
    ],
)
def test_urls_that_are_refused(url: str, names: Resolve) -> None:
    names("hooks.example", [PUBLIC])
    with pytest.raises(RefusedTarget):
        check_url(url)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "017700000001", "127.1", "0", "localhost", "127.0.0.1."])
def test_other_spellings_of_loopback(host: str) -> None:
    # Resolved by the real resolver, as they would be on the way out; what does not resolve is no way in either.
    with pytest.raises(DeliveryError):
        check_url(f"https://{host}/")


def test_a_good_url_is_resolved(names: Resolve) -> None:
    names("hooks.example", [PUBLIC, "2606:4700::1111", PUBLIC])
    target = check_url("https://hooks.example/a?b=c")
    assert (target.host, target.port) == ("hooks.example", 443)
    assert [str(address) for address in target.addresses] == [PUBLIC, "2606:4700::1111"]
    assert check_url("https://hooks.example:8443/").port == 8443
    assert check_url("http://hooks.example/", https_only=False).port == 80


def test_international_names_are_resolved_as_they_are_called(names: Resolve) -> None:
    names("xn--mller-kva.example", [PUBLIC])
    assert check_url("https://müller.example/").host == "xn--mller-kva.example"


def test_one_private_address_spoils_the_name(names: Resolve) -> None:
    names("rebound.example", [PUBLIC, "10.0.0.1"])
    with pytest.raises(RefusedTarget, match=r"10\.0\.0\.1"):
        check_url("https://rebound.example/")


def test_a_name_that_does_not_resolve_may_do_so_later(names: Resolve) -> None:
    with pytest.raises(RetryLater):
        check_url("https://nowhere.example/")


def test_networks_the_operator_vouches_for(names: Resolve) -> None:
    names("inside.example", ["10.1.2.3"])
    names("mixed.example", ["10.1.2.3", "10.9.9.9"])
    inside = networks("10.1.2.0/24, fd00::/8")
    assert check_url("https://inside.example:9000/", allowed=inside).port == 9000
    with pytest.raises(RefusedTarget):
        check_url("https://mixed.example/", allowed=inside)
    with pytest.raises(ValueError):
        networks("10.1.2.3/24")


class Recorder(httpx.AsyncBaseTransport):
    """Stands where the network would be."""

    def __init__(self, unreachable: str = "", headers: dict[str, str] | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self._unreachable, self._headers = unreachable, headers or {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.host == self._unreachable:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, headers=self._headers, stream=httpx.ByteStream(b"ok"))


def post(transport: GuardedTransport, url: str) -> httpx.Response:
    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            return await client.post(url, content=b"body")

    return asyncio.run(call())


def test_the_connection_goes_to_the_checked_number_under_the_old_name(names: Resolve) -> None:
    names("hooks.example", [PUBLIC])
    recorder = Recorder()
    assert post(GuardedTransport(inner=recorder), "https://hooks.example/a?b=c").text == "ok"
    (request,) = recorder.requests
    assert str(request.url) == f"https://{PUBLIC}/a?b=c"
    assert request.headers["host"] == "hooks.example"
    assert request.extensions["sni_hostname"] == "hooks.example"
    assert request.headers["accept-encoding"] == "identity"


def test_the_next_address_is_tried_when_one_is_down(names: Resolve) -> None:
    names("hooks.example", ["2606:4700::1111", PUBLIC])
    recorder = Recorder(unreachable="2606:4700::1111")
    assert post(GuardedTransport(inner=recorder), "https://hooks.example/").status_code == 200
    assert [request.url.host for request in recorder.requests] == ["2606:4700::1111", PUBLIC]


def test_every_hop_is_checked_again(names: Resolve) -> None:
    names("hooks.example", [PUBLIC])
    recorder = Recorder()
    transport = GuardedTransport(inner=recorder)
    assert post(transport, "https://hooks.example/").status_code == 200
    names("hooks.example", ["127.0.0.1"])
    with pytest.raises(RefusedTarget):
        post(transport, "https://hooks.example/")
    assert len(recorder.requests) == 1


def test_compressed_answers_are_not_unpacked(names: Resolve) -> None:
    names("hooks.example", [PUBLIC])
    with pytest.raises(ResponseTooLarge):
        post(GuardedTransport(inner=Recorder(headers={"Content-Encoding": "gzip"})), "https://hooks.example/")


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for `name` and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(signed.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return cert_file, key_file


def test_the_certificate_is_checked_against_the_name(names: Resolve, tmp_path: Path) -> None:
    names("hooks.example", ["127.0.0.1"])
    names("other.example", ["127.0.0.1"])
    cert_file, key_file = certificate(tmp_path, "hooks.example")
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(cert_file, key_file)
    trusted = ssl.create_default_context(cafile=str(cert_file))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    async def exchange() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_side)
        port = server.sockets[0].getsockname()[1]
        inner = httpx.AsyncHTTPTransport(verify=trusted, trust_env=False)
        transport = GuardedTransport(allowed=LOOPBACK, inner=inner)
        async with server, httpx.AsyncClient(transport=transport, trust_env=False) as client:
            assert (await client.get(f"https://hooks.example:{port}/")).text == "ok"
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(f"https://other.example:{port}/")

    asyncio.run(exchange())


class Target(ProviderServer):
    """A webhook receiver on loopback."""

    def answer(self, request: Received) -> Reply:
        if request.path == "/redirect":
            return Reply(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"})
        return Reply(200, b"x" * (200_000 if request.path == "/large" else 10))


@pytest.fixture
def target() -> Iterator[Target]:
    with Target() as server:
        yield server


def fetch(url: str, *, total_seconds: float = 10.0, follow: bool = False) -> httpx.Response:
    async def call() -> httpx.Response:
        async with guarded_client(https_only=False, allowed=LOOPBACK, total_seconds=total_seconds) as client:
            return await client.post(url, content=b"{}", follow_redirects=follow)

    return asyncio.run(call())


def test_a_real_exchange_under_a_name(target: Target, names: Resolve) -> None:
    port = target.url.rpartition(":")[2]
    names("hooks.example", ["127.0.0.1"])
    assert fetch(f"http://hooks.example:{port}/x").text == "x" * 10
    assert target.received[0].headers["host"] == f"hooks.example:{port}"
    assert target.received[0].body == b"{}"


def test_redirects_are_returned_and_never_lead_inside(target: Target) -> None:
    assert fetch(target.url + "/redirect").status_code == 302
    with pytest.raises(RefusedTarget):
        fetch(target.url + "/redirect", follow=True)


def test_large_answers_are_cut(target: Target) -> None:
    with pytest.raises(ResponseTooLarge):
        fetch(target.url + "/large")


def test_a_silent_server_is_left_after_the_total_time(target: Target) -> None:
    target.hang_next()
    with pytest.raises(httpx.TimeoutException):
        fetch(target.url + "/x", total_seconds=0.3)


def test_a_dripping_server_is_left_after_the_total_time() -> None:
    class Drip(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0)
                yield b""

    class Dripping(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=Drip())

    transport = GuardedTransport(allowed=LOOPBACK, total_seconds=0.2, inner=Dripping())
    with pytest.raises(httpx.ReadTimeout):
        post(transport, "https://127.0.0.1/")


def test_a_resolver_that_hangs_is_left_after_the_total_time(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*args: object, **kwargs: object) -> list[tuple[object, ...]]:
        released.wait()
        return []

    async def call() -> None:
        try:
            async with guarded_client(total_seconds=0.2) as client:
                await client.get("https://hooks.example/")
        finally:
            released.set()  # or the loop would wait for the thread at its end

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(httpx.ReadTimeout):
        asyncio.run(call())
