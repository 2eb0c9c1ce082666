"""Web Push, against the example of RFC 8291 and a push service of our own."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from helpdesk.events.outcomes import NeverRetry, RetryLater
from helpdesk.events.outgoing import RefusedTarget
from tickets.desk import webpush

LOOPBACK = [ip_network("127.0.0.0/8")]

# RFC 8291 §5 and Appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
OUR_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
THEIR_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
ENCRYPTED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
    "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


class Browser:
    """A subscribed browser, which can read what it is sent."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = b"sixteen bytes it"
        self.p256dh = webpush.encode(_point(self._key.public_key()))
        self.auth = webpush.encode(self._auth)

    def read(self, body: bytes) -> dict[str, object]:
        salt, length = body[:16], body[20]
        sender, content = body[21 : 21 + length], body[21 + length :]
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        info = b"WebPush: info\0" + _point(self._key.public_key()) + sender
        secret = HKDF(hashes.SHA256(), 32, self._auth, info).derive(shared)
        key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        said: dict[str, object] = json.loads(AESGCM(key).decrypt(nonce, content, None).rstrip(b"\x02"))
        return said


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class PushService(HTTPServer):
    """Keeps what it is posted and answers `status`."""

    def __init__(self) -> None:
        self.status = 201
        self.posted: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/push/one"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, PushService)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.posted.append((headers, self.rfile.read(int(headers["content-length"]))))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is said of it."""


@pytest.fixture
def service() -> Iterator[PushService]:
    server = PushService()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_encrypts_as_the_example_of_the_rfc() -> None:
    key = ec.derive_private_key(int.from_bytes(webpush.decode(OUR_KEY), "big"), ec.SECP256R1())
    made = webpush.encrypt(PLAIN, THEIR_PUBLIC, AUTH, salt=webpush.decode(SALT), key=key)
    assert webpush.encode(made) == ENCRYPTED


def test_a_browser_reads_what_was_sent_and_the_service_knows_who_sent_it(service: PushService, at: datetime) -> None:
    browser = Browser()
    webpush.send(
        service.url, browser.p256dh, browser.auth, {"title": "Grüße"}, topic="conversation-1", at=at, allowed=LOOPBACK
    )

    ((headers, body),) = service.posted
    assert browser.read(body) == {"title": "Grüße"}
    assert (headers["content-encoding"], headers["topic"], headers["ttl"]) == ("aes128gcm", "conversation-1", "14400")
    token, key = (part.split("=", 1)[1] for part in headers["authorization"].removeprefix("vapid ").split(", "))
    head, claims, signature = token.split(".")
    raw = webpush.decode(signature)
    signed = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), webpush.decode(key))
    public.verify(signed, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert key == webpush.public_key()
    assert json.loads(webpush.decode(claims))["aud"] == service.url.removesuffix("/push/one")


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, webpush.Gone), (410, webpush.Gone), (429, RetryLater), (503, RetryLater), (400, NeverRetry)],
)
def test_refusals_are_told_apart(service: PushService, at: datetime, status: int, error: type[Exception]) -> None:
    browser = Browser()
    service.status = status
    with pytest.raises(error):
        webpush.send(service.url, browser.p256dh, browser.auth, {}, topic="one", at=at, allowed=LOOPBACK)


def test_what_is_no_address_is_never_tried_again(at: datetime) -> None:
    browser = Browser()
    for url in ("https://push.example:99999999999999999999/", "https://push.example:no/"):
        with pytest.raises(NeverRetry):
            webpush.send(url, browser.p256dh, browser.auth, {}, topic="one", at=at)


@pytest.mark.parametrize("url", ["https://127.0.0.1/push", "https://169.254.169.254/latest", "http://push.example/one"])
def test_only_public_services_are_called(url: str, at: datetime) -> None:
    browser = Browser()
    with pytest.raises(RefusedTarget):
        webpush.send(url, browser.p256dh, browser.auth, {}, topic="one", at=at)


@pytest.mark.parametrize(("p256dh", "auth"), [("", AUTH), ("AAAA", AUTH), (THEIR_PUBLIC, "AAAA"), ("é", AUTH)])
def test_keys_that_are_none_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(webpush.BadKeys):
        webpush.check_keys(p256dh, auth)


def test_another_secret_makes_another_key(settings: object) -> None:
    before = webpush.public_key()
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    assert webpush.public_key() != before
