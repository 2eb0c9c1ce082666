"""A lean SMTP client that sends mail as fast as it is accepted: `python bench/smtp_load.py PORT [MAILS] [CONNECTIONS]`.

Raw sockets, no parsing beyond the reply code, each mail its own Message-ID. `--reconnect` opens a connection a mail.
"""

import argparse
import asyncio
import time

FILLER = b"The quick brown fox jumps over the lazy dog and tells everybody about it.\r\n"


def mail(number: int, run: str, size: int) -> bytes:
    """A plain mail of about `size` bytes, ready for DATA, with the final dot."""
    head = (
        f"From: Carol <carol@acme.example>\r\nTo: support@demo.example\r\nSubject: Load {run} {number}\r\n"
        f"Date: Mon, 12 Jan 2026 09:00:00 +0100\r\nMessage-ID: <{run}.{number}@acme.example>\r\n\r\n"
    ).encode()
    return head + FILLER * max(1, (size - len(head)) // len(FILLER)) + b".\r\n"


async def expect(reader: asyncio.StreamReader, code: bytes) -> None:
    """Read one reply, all its lines. Raises RuntimeError when it begins with another code."""
    while True:
        line = await reader.readline()
        if not line.startswith(code):
            raise RuntimeError(f"expected {code.decode()}, got {line!r}")
        if line[3:4] == b" ":
            return


async def client(port: int, numbers: list[int], run: str, size: int, *, reconnect: bool) -> None:
    """Send the mails one after the other, each after the 250 of the one before."""
    reader = writer = None
    for number in numbers:
        if reader is None or writer is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await expect(reader, b"220")
            writer.write(b"EHLO load.example\r\n")
            await expect(reader, b"250")
        writer.write(b"MAIL FROM:<carol@acme.example>\r\n")
        await expect(reader, b"250")
        writer.write(b"RCPT TO:<support@demo.example>\r\n")
        await expect(reader, b"250")
        writer.write(b"DATA\r\n")
        await expect(reader, b"354")
        writer.write(mail(number, run, size))
        await expect(reader, b"250")
        if reconnect:
            writer.write(b"QUIT\r\n")
            writer.close()
            reader = writer = None
    if writer is not None:
        writer.write(b"QUIT\r\n")
        writer.close()


async def load(port: int, mails: int, connections: int, size: int, *, reconnect: bool = False) -> float:
    """Seconds until all mails were accepted."""
    run = f"{time.time_ns():x}"
    began = time.perf_counter()
    shares = [list(range(first, mails, connections)) for first in range(connections)]
    await asyncio.gather(*(client(port, share, run, size, reconnect=reconnect) for share in shares))
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("mails", type=int, nargs="?", default=3000)
    parser.add_argument("connections", type=int, nargs="?", default=8)
    parser.add_argument("--size", type=int, default=4096, help="bytes a mail")
    parser.add_argument("--reconnect", action="store_true", help="a connection for each mail")
    given = parser.parse_args()
    seconds = asyncio.run(load(given.port, given.mails, given.connections, given.size, reconnect=given.reconnect))
    print(f"{given.mails} mails, {given.connections} connections: {given.mails / seconds:.0f} mails/s")


if __name__ == "__main__":
    main()
