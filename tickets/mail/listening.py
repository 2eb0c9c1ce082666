"""Listens for SMTP and LMTP until it is asked to stop."""

import asyncio
import logging
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

from tickets.mail.smtp import LmtpReceiver, Receiver, Service

logger = logging.getLogger(__name__)

STOP_SECONDS: Final = 4.0
_BACKLOG: Final = 512


async def listen(service: Service, smtp: socket.socket, lmtp: socket.socket | None) -> None:
    """Serve both sockets until SIGTERM or SIGINT; then answer for the mail at hand and return."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    committing = asyncio.create_task(service.committer.run())
    committing.add_done_callback(lambda _: stop.set())
    servers = [await loop.create_server(lambda: Receiver(service, loop), sock=smtp, backlog=_BACKLOG)]
    if lmtp is not None:
        make = loop.create_unix_server if lmtp.family == socket.AF_UNIX else loop.create_server
        servers.append(await make(lambda: LmtpReceiver(service, loop), sock=lmtp, backlog=_BACKLOG))
    logger.info("receiving mail on %s", " and ".join(str(s.getsockname()) for s in (smtp, lmtp) if s is not None))
    await stop.wait()
    for server in servers:
        server.close()
    await _finish(service)
    if committing.done():
        committing.result()  # raises what ended it: without it no mail can be taken
    committing.cancel()
    with suppress(asyncio.CancelledError):
        await committing


async def _finish(service: Service) -> None:
    """Answer for what was taken. Whoever is in the middle of a mail sends it again: no 250 was said."""
    service.stopping = True
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await service.committer.idle.wait()
    await asyncio.sleep(0)  # whoever waited for the last commit says so now
    for connection in list(service.connections):
        if connection.transport is not None:
            connection.transport.close()
    await asyncio.sleep(0)


def tcp_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


def lmtp_socket(where: str, host: str) -> socket.socket:
    """A port number on `host`, or the path of a unix socket, which replaces what a killed listener left there."""
    if where.isdigit():
        return tcp_socket(host, int(where))
    path = Path(where)
    if path.is_socket():
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    path.chmod(0o660)
    return listening
