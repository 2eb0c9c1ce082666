"""Django's SMTP backend, exact about how far a message came.

Django's own hides two things: recipients refused while others were taken, and whether a lost connection was lost
before anything could have left. Both decide what people are told and whether it may be sent again.
"""

import re
import smtplib
import socket
import time
from collections.abc import Callable, Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp
from django.core.mail.message import sanitize_address

Answer = tuple[int, bytes]
_END = b".\r\n"
FRESH_SECONDS = 1.0
_PLAIN = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


class LostBeforeSending(smtplib.SMTPServerDisconnected):
    """The connection broke before the message's content was sent: surely nothing has left."""


class EmailBackend(smtp.EmailBackend):
    """`refused` holds the recipients the last message was not taken for, with the server's answer for each.

    `before_it_leaves` is called when all of the next message is with the server but the dot that ends it: the last
    moment at which it has not been sent (RFC 5321 §4.1.1.4). What it raises ends the attempt.
    """

    refused: dict[str, Answer]
    answered_at = 0.0
    before_it_leaves: Callable[[], None] | None = None

    def is_alive(self) -> bool:
        """Whether the open connection still answers (RFC 5321 §4.1.1.9). Asked before it is used once more, unless it
        has just answered.
        """
        if self.connection is None:
            return False
        if time.monotonic() - self.answered_at < FRESH_SECONDS:
            return True
        try:
            return bool(self.connection.noop()[0] == 250)
        except (smtplib.SMTPException, OSError):
            return False

    def _send(self, email_message: EmailMessage) -> bool:
        self.refused = {}
        if not email_message.recipients() or self.connection is None:
            return False
        encoding = str(email_message.encoding or settings.DEFAULT_CHARSET)
        sender = _bare(email_message.from_email, encoding)
        recipients = [_bare(address, encoding) for address in email_message.recipients()]
        content = email_message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own class
        try:
            self._ask(self.connection, sender, recipients, content)
        except smtplib.SMTPServerDisconnected as error:
            raise LostBeforeSending(str(error)) from error
        if self.before_it_leaves is None:
            self._hand_over(self.connection, _dotted(content) + _END)
            return True
        try:
            _hurry(self.connection)
            self.connection.send(_dotted(content))
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise LostBeforeSending(str(error)) from error
        try:
            self.before_it_leaves()
        except BaseException:
            # Half a message was said: nothing more may follow on this connection, no goodbye either.
            self.connection.close()
            raise
        self._hand_over(self.connection, _END)
        return True

    def _ask(self, server: smtplib.SMTP, sender: str, recipients: Sequence[str], content: bytes) -> None:
        """MAIL, RCPT and DATA up to the server's 354 (RFC 5321 §3.3)."""
        server.ehlo_or_helo_if_needed()
        options = [f"size={len(content)}"] if server.has_extn("size") else []
        if server.has_extn("8bitmime") and not content.isascii():
            options.append("body=8bitmime")
        _expect(server.docmd("mail", " ".join((f"FROM:{_path(sender)}", *options))), 250)
        for recipient in recipients:
            code, words = server.docmd("rcpt", f"TO:{_path(recipient)}")
            if code == 421:
                raise smtplib.SMTPDataError(code, words)
            if code not in (250, 251):
                self.refused[recipient] = (code, words)
        if len(self.refused) == len(recipients):
            raise smtplib.SMTPRecipientsRefused(self.refused)
        _expect(server.docmd("data"), 354)

    def _hand_over(self, server: smtplib.SMTP, content: bytes) -> None:
        """The content and its final dot, or that alone. An error in here leaves open whether the server took it."""
        server.send(content)
        _expect(server.getreply(), 250)
        self.answered_at = time.monotonic()


def _bare(address: str, encoding: str) -> str:
    """An address for the envelope; most are plain, and need no parsing of what RFC 5322 allows besides."""
    return address if _PLAIN.fullmatch(address) else str(sanitize_address(address, encoding))


def _path(address: str) -> str:
    """The address as MAIL and RCPT name it. smtplib parses it anew each time, which takes a sixth of sending a mail."""
    return f"<{address}>" if _PLAIN.fullmatch(address) else smtplib.quoteaddr(address)


def _expect(answer: Answer, wanted: int) -> None:
    if answer[0] != wanted:
        raise smtplib.SMTPDataError(*answer)


def _hurry(server: smtplib.SMTP) -> None:
    """The dot goes out by itself, and must not wait until the server confirms what came before it (RFC 1122 §4.2.3.4:
    up to a fifth of a second).
    """
    if server.sock is not None:
        server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _dotted(content: bytes) -> bytes:
    """As DATA wants it: whole lines, a dot before each that begins with one (RFC 5321 §4.5.2)."""
    stuffed = (b"\r\n" + content.removesuffix(b"\r\n")).replace(b"\r\n.", b"\r\n..")
    return stuffed[2:] + b"\r\n"
