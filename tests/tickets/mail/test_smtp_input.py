"""An SMTP client's bytes, however they are cut into packets."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.mail.smtp_input import Disconnected, Input, MailTooBig, Memory, NoMemory

LIMIT = 1000
_PIECES = st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\x00", b"\xff", b"\r\n.", b".."]), max_size=40)


def run(pieces: list[bytes], use: Callable[[Input], Awaitable[None]], memory: Memory | None = None) -> None:
    async def talk() -> None:
        reader = asyncio.StreamReader()
        given_input = Input(reader, memory or Memory(10**9), lambda: None)
        using = asyncio.ensure_future(use(given_input))
        for piece in pieces:
            if piece:
                reader.feed_data(piece)
                await asyncio.sleep(0)
        reader.feed_eof()
        await using

    asyncio.run(talk())


def sent(mail: bytes) -> bytes:
    """As a client sends it: dots doubled, the end behind it. The mail ends with CRLF or is empty."""
    lines = mail.split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b".\r\n"


@given(pieces=_PIECES, cut=st.lists(st.integers(0, 200), max_size=6))
def test_what_was_sent_is_what_is_read(pieces: list[bytes], cut: list[int]) -> None:
    mail = b"".join(pieces)
    mail += b"\r\n" if mail else b""
    whole = sent(mail) + b"QUIT\r\n"
    edges = [0, *sorted(min(place, len(whole)) for place in cut), len(whole)]

    async def use(given_input: Input) -> None:
        assert await given_input.mail(LIMIT) == mail
        assert await given_input.command(100) == b"QUIT"
        with pytest.raises(Disconnected):
            await given_input.command(100)

    run([whole[start:end] for start, end in itertools.pairwise(edges)], use)


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1, 3 * LIMIT])
def test_a_mail_over_the_limit_is_read_to_its_end(size: int) -> None:
    async def use(given_input: Input) -> None:
        if size > LIMIT:
            with pytest.raises(MailTooBig):
                await given_input.mail(LIMIT)
        else:
            assert len(await given_input.mail(LIMIT)) == LIMIT
        assert await given_input.command(100) == b"NOOP"

    mail = b"x" * (size - 2) + b"\r\n.\r\nNOOP\r\n"
    run([mail], use)
    run([bytes([byte]) for byte in mail], use)


def test_who_never_ends_is_cut_off() -> None:
    async def use(given_input: Input) -> None:
        with pytest.raises(Disconnected):
            await given_input.mail(LIMIT)

    run([b"x" * LIMIT] * 10, use)


def test_memory_is_shared_and_given_back() -> None:
    memory = Memory(500)

    async def use(given_input: Input) -> None:
        with pytest.raises(NoMemory):
            await given_input.mail(LIMIT)
        assert given_input.held == 0
        assert await given_input.mail(LIMIT) == b"b\r\n"
        assert given_input.held > 0
        given_input.release()

    run([b"a" * 300, b"a" * 300, b"\r\n.\r\nb\r\n.\r\n"], use, memory)
    assert memory.take(500)


def test_commands_too_long_are_skipped_whole() -> None:
    async def use(given_input: Input) -> None:
        assert await given_input.command(10) == b"NOOP"
        assert await given_input.command(10) is None
        assert await given_input.command(10) is None
        assert await given_input.command(10) == b""
        assert await given_input.command(10) == b"QUIT"

    run([b"NOOP\r\n" + b"x" * 11 + b"\r\n", b"y" * 50, b"y" * 50 + b"\n\r\nQU", b"IT\n"], use)
