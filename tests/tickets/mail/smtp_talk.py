"""What the tests say to the mail listener."""

import socket

from tests.fixtures.receiving import Listener
from tickets.models import InboundEmail

SENDER = "carol@acme.example"
SUPPORT = "support@demo.example"


def letter(number: int = 1, body: bytes = b"The site is down.\r\n") -> bytes:
    return (
        b"From: <carol@acme.example>\r\nTo: <support@demo.example>\r\nSubject: Help\r\n"
        b"Message-ID: <%d@acme.example>\r\n\r\n" % number
    ) + body


def kept() -> list[bytes]:
    return [bytes(raw) for raw in InboundEmail.objects.order_by("pk").values_list("raw", flat=True)]


def talk(listener: Listener, *pieces: bytes, half_close: bool = False) -> bytes:
    """Send the pieces as they are and hear everything until the listener hangs up."""
    with listener.raw() as client:
        for piece in pieces:
            client.sendall(piece)
        if half_close:
            client.shutdown(socket.SHUT_WR)
        heard = b""
        while data := client.recv(65536):
            heard += data
    return heard


def session(data: bytes, rcpt: bytes = b"support@demo.example") -> bytes:
    return (
        b"EHLO client.example\r\nMAIL FROM:<carol@acme.example>\r\nRCPT TO:<"
        + rcpt
        + b">\r\nDATA\r\n"
        + data
        + b"QUIT\r\n"
    )
