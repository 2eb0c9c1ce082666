"""The SMTP and LMTP listener: takes mail for our addresses, says 250 only after the commit.

aiosmtpd gives the protocol's frame. Overridden is what costs time or mail there: reading line by line, parsing
addresses with the email package, `500` for long lines, forgetting a client that has said all and closed its side.
"""

import asyncio
import logging
import re
import ssl
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP
from django.utils import timezone

from tickets.mail.certificates import Certificate
from tickets.mail.committing import Committer, TryLater
from tickets.mail.ledger import Arrived
from tickets.mail.smtp_input import Disconnected, Input, MailTooBig, Memory, NoMemory

logger = logging.getLogger(__name__)

MAX_COMMAND: Final = 4096
MAX_RECIPIENTS: Final = 100
MAX_MISTAKES: Final = 100
MAX_CONNECTIONS: Final = 1000
MAX_CONNECTIONS_AN_ADDRESS: Final = 250
IDLE_SECONDS: Final = 300  # RFC 5321 §4.5.3.2.7
MAIL_SECONDS: Final = 1800
HANDSHAKE_SECONDS: Final = 30
# Three of the largest mails at once; a process has about four times this at its peak.
MEMORY_BYTES: Final = 128 * 1024 * 1024

_PATH: Final = re.compile(
    r'(?P<keyword>FROM|TO):\s*+(?:<(?P<path>(?:"(?:[^"\\]|\\.)*+"|[^<>"])*+)>|(?P<bare>[^\s<>]++))(?P<parameters>.*+)',
    re.IGNORECASE | re.DOTALL,
)
_IGNORED: Final = frozenset({"SMTPUTF8", "AUTH", "RET", "ENVID", "NOTIFY", "ORCPT"})


@dataclass
class Service:
    """What all connections of one listener share."""

    committer: Committer
    hostname: str
    size_limit: int
    certificate: Certificate | None = None
    memory: Memory = field(default_factory=lambda: Memory(MEMORY_BYTES))
    connections: set["Receiver"] = field(default_factory=set)
    by_address: Counter[str] = field(default_factory=Counter)
    stopping: bool = False


class Receiver(SMTP):
    """One SMTP connection."""

    source = "smtp"
    line_length_limit = 256 * 1024  # here only how much is read ahead; lines of mail may have any length

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            None,
            data_size_limit=service.size_limit,
            enable_SMTPUTF8=True,
            hostname=service.hostname,
            timeout=IDLE_SECONDS,
            loop=loop,
        )
        self.service = service
        self.remote_ip = ""
        self._greeted = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._mistakes = 0
        self._ending = False
        self._mail_until = 0.0
        self._is_secure = False

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        self.remote_ip = peer[0].partition("%")[0] if isinstance(peer, tuple) else ""
        self.service.connections.add(self)
        self.service.by_address[self.remote_ip] += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.service.connections.discard(self)
        self.service.by_address[self.remote_ip] -= 1
        if self.service.by_address[self.remote_ip] <= 0:
            del self.service.by_address[self.remote_ip]
        super().connection_lost(error)

    def eof_received(self) -> bool | None:
        # A client may say everything at once, close its side and still listen.
        return asyncio.StreamReaderProtocol.eof_received(self)

    async def push(self, status: str | bytes) -> None:
        answer = status.encode("utf-8", "replace") if isinstance(status, str) else status
        self._writer.write(answer + b"\r\n")
        await self._writer.drain()

    async def _handle_client(self) -> None:
        self.input = Input(self._reader, self.service.memory, self._mail_goes_on)
        try:
            await self._converse()
        except (Disconnected, ConnectionError, ssl.SSLError):
            return
        except Exception:
            # No 250 was said, so the client keeps its mail and comes again.
            logger.exception("a connection from %s failed", self.remote_ip)
            with suppress(ConnectionError, ssl.SSLError):
                await self.push("421 4.3.0 Try again later")
        finally:
            self.input.release()
            self._writer.close()

    async def _converse(self) -> None:
        service = self.service
        if (
            len(service.connections) > MAX_CONNECTIONS
            or service.by_address[self.remote_ip] > MAX_CONNECTIONS_AN_ADDRESS
        ):
            await self.push("421 4.7.0 Too many connections, try again later")
            return
        await self.push(f"220 {self.hostname} ESMTP Helpdesk")
        while not self._ending:
            line = await self.input.command(MAX_COMMAND)
            if self.service.stopping:
                await self.push("421 4.3.2 Going down, try again later")
                return
            self._reset_timeout()
            if line is None:
                await self._mistake("500 5.5.2 Command line too long")
                continue
            command, _, argument = line.partition(b" ")
            method = self._smtp_methods.get(command.strip().upper().decode("ascii", "replace"))
            if method is None:
                await self._mistake("500 5.5.1 Command not recognized")
                continue
            await method(argument.strip().decode("utf-8", "surrogateescape"))
            if self._mistakes > MAX_MISTAKES:
                await self.push("421 4.7.0 Too many mistakes")
                return

    def _forget(self) -> None:
        """The next mail begins."""
        self._sender, self._recipients = None, []

    async def _mistake(self, status: str) -> None:
        self._mistakes += 1
        await self.push(status)

    # Commands.

    async def smtp_HELO(self, argument: str) -> None:
        await self._greet(argument, extended=False)

    async def smtp_EHLO(self, argument: str) -> None:
        await self._greet(argument, extended=True)

    async def _greet(self, argument: str, *, extended: bool) -> None:
        if not argument:
            await self._mistake("501 5.5.4 Syntax: EHLO hostname")
            return
        self._forget()
        self._greeted = True
        lines = [self.hostname, *(self._capabilities() if extended else ())]
        await self.push("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    def _capabilities(self) -> list[str]:
        secure = ["STARTTLS"] if self.service.certificate is not None and not self._is_secure else []
        return ["PIPELINING", f"SIZE {self.service.size_limit}", "8BITMIME", "SMTPUTF8", *secure]

    async def smtp_STARTTLS(self, argument: str) -> None:
        if self.service.certificate is None:
            await self._not_offered(argument)
        elif self._is_secure:
            await self._mistake("503 5.5.1 TLS is in use already")
        elif argument:
            await self._mistake("501 5.5.4 Syntax: STARTTLS")
        else:
            await self._secure(self.service.certificate.context())

    async def _secure(self, context: ssl.SSLContext) -> None:
        """Go on under TLS, knowing nothing of what was said before (RFC 3207 §4.2).

        Plain text sent ahead could be an attacker's, put before what the client says under TLS (CVE-2011-0411): it is
        thrown away, and between here and the handshake nothing is read. Raises Disconnected.
        """
        transport: Any = self.transport  # uvloop's is no asyncio.Transport
        transport.pause_reading()
        self.input.discard()
        self._reader._buffer.clear()  # type: ignore[attr-defined]
        self._forget()
        self._greeted = False
        self._writer.write(b"220 2.0.0 Go ahead\r\n")
        try:
            await self._writer.start_tls(context, ssl_handshake_timeout=HANDSHAKE_SECONDS)
        except OSError as error:
            logger.info("no TLS with %s: %s", self.remote_ip, error)
            raise Disconnected from error
        self._is_secure = True
        self.transport = self._writer.transport
        self._reader._transport = self.transport  # type: ignore[attr-defined]

    async def smtp_MAIL(self, argument: str) -> None:
        if not self._greeted:
            await self._mistake("503 5.5.1 Say EHLO first")
            return
        if self._sender is not None:
            await self._mistake("503 5.5.1 Sender given already")
            return
        found = _path(argument, "FROM")
        if found is None:
            await self._mistake("501 5.1.7 Syntax: MAIL FROM:<address>")
            return
        sender, parameters = found
        if refusal := self._refused(parameters):
            await self._mistake(refusal)
            return
        self._sender = sender
        await self.push("250 2.1.0 OK")

    def _refused(self, parameters: str) -> str:
        for parameter in parameters.upper().split():
            name, _, value = parameter.partition("=")
            if name == "SIZE":
                if not (value.isascii() and value.isdigit()):
                    return "501 5.5.4 SIZE is a number of bytes"
                if len(value) > 18 or int(value) > self.service.size_limit:
                    return "552 5.3.4 Message too big"
            elif name == "BODY":
                if value not in ("7BIT", "8BITMIME"):
                    return "501 5.5.4 BODY is 7BIT or 8BITMIME"
            elif name not in _IGNORED:
                return "555 5.5.4 Parameter not recognized"
        return ""

    async def smtp_RCPT(self, argument: str) -> None:
        if self._sender is None:
            await self._mistake("503 5.5.1 Need MAIL first")
            return
        found = _path(argument, "TO")
        if found is None or not found[0]:
            await self._mistake("501 5.1.3 Syntax: RCPT TO:<address>")
            return
        if len(self._recipients) >= MAX_RECIPIENTS:
            await self.push("452 4.5.3 Too many recipients")
            return
        try:
            ours = await self.service.committer.is_ours(found[0])
        except TryLater:
            await self.push("451 4.3.0 Try again later")
            return
        if not ours:
            await self._mistake("550 5.1.1 No such mailbox")
            return
        self._recipients.append(found[0])
        await self.push("250 2.1.5 OK")

    async def smtp_DATA(self, argument: str) -> None:
        if not self._recipients:
            await self._mistake("503 5.5.1 Need RCPT first")
            return
        if argument:
            await self._mistake("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self._mail_until = self.loop.time() + MAIL_SECONDS
        answer = await self._received()
        recipients = self._recipients
        self._forget()
        await self._answer(answer, recipients)

    async def _received(self) -> str:
        """Read the mail and have it committed; the answer."""
        try:
            raw = await self.input.mail(self.service.size_limit)
            # The sweep of idle connections must not cut a client that waits for our commit.
            self._reset_timeout()
            await self.service.committer.commit(
                Arrived(
                    self.source,
                    raw,
                    self._sender or "",
                    tuple(self._recipients),
                    self.remote_ip or None,
                    timezone.now(),
                )
            )
        except MailTooBig:
            return "552 5.3.4 Message too big"
        except NoMemory:
            return "452 4.3.1 Too much mail at once, try again later"
        except TryLater:
            return "451 4.3.0 Try again later"
        finally:
            self.input.release()
        return "250 2.0.0 Kept"

    async def _answer(self, answer: str, recipients: list[str]) -> None:
        await self.push(answer)

    def _mail_goes_on(self) -> None:
        if self.loop.time() > self._mail_until:
            raise Disconnected
        self._reset_timeout()

    async def smtp_RSET(self, argument: str) -> None:
        self._forget()
        await self.push("250 2.0.0 OK")

    async def smtp_NOOP(self, argument: str) -> None:
        await self.push("250 2.0.0 OK")

    async def smtp_QUIT(self, argument: str) -> None:
        self._ending = True
        await self.push("221 2.0.0 Bye")

    async def smtp_HELP(self, argument: str) -> None:
        await self.push("214 2.0.0 See RFC 5321")

    async def _not_offered(self, argument: str) -> None:
        await self._mistake("502 5.5.1 Not offered here")

    smtp_VRFY = smtp_EXPN = smtp_AUTH = _not_offered  # type: ignore[assignment]


class LmtpReceiver(LMTP, Receiver):
    """One LMTP connection (RFC 2033): the same, answered for each recipient."""

    source = "lmtp"

    async def smtp_LHLO(self, argument: str) -> None:
        await self._greet(argument, extended=True)

    async def _answer(self, answer: str, recipients: list[str]) -> None:
        for _ in recipients:
            await self.push(answer)


def _path(argument: str, keyword: str) -> tuple[str, str] | None:
    """The address and the parameters behind it; an old source route (RFC 5321 §4.1.1.3) is dropped."""
    match = _PATH.fullmatch(argument)
    if match is None or match["keyword"].upper() != keyword:
        return None
    address: Any = match["path"] if match["path"] is not None else match["bare"]
    if address.startswith("@"):
        address = address.partition(":")[2]
    return address.strip(), match["parameters"]
