"""The group commit, where real SMTP cannot easily go: patience that ends, and too much at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from threading import Event

import pytest
from django.db import DataError, OperationalError

from tickets.mail import committing, ledger
from tickets.mail.committing import Committer, TryLater
from tickets.mail.ledger import Arrived

AT = datetime(2026, 1, 12, 8, tzinfo=UTC)
Store = Callable[..., list[int]]


def mail(number: int) -> Arrived:
    return Arrived("smtp", b"%d" % number, "", (), None, AT)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[bytes]]:
    """What would have been committed, batch by batch."""
    kept: list[list[bytes]] = []

    def store(mails: Sequence[Arrived], *, at: datetime) -> list[int]:
        kept.append([mail.raw for mail in mails])
        return list(range(len(mails)))

    monkeypatch.setattr(ledger, "store", store)
    monkeypatch.setattr(committing, "nudge", lambda task: None)
    return kept


def run(use: Callable[[Committer], Awaitable[None]]) -> None:
    async def running() -> None:
        committer = Committer()
        task = asyncio.create_task(committer.run())
        await use(committer)
        task.cancel()

    asyncio.run(running())


def test_what_waits_is_committed_together(batches: list[list[bytes]]) -> None:
    async def use(committer: Committer) -> None:
        await asyncio.gather(*(committer.commit(mail(number)) for number in range(50)))
        await committer.idle.wait()

    run(use)
    assert [raw for batch in batches for raw in batch] == [b"%d" % number for number in range(50)]
    assert len(batches) < 5


def test_a_batch_is_bounded_in_bytes(batches: list[list[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing, "BATCH_BYTES", 5)

    async def use(committer: Committer) -> None:
        await asyncio.gather(*(committer.commit(mail(number)) for number in (111, 222, 333333, 4)))

    run(use)
    assert batches == [[b"111"], [b"222"], [b"333333"], [b"4"]]


def test_patience_ends_and_says_later(batches: list[list[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing, "PATIENCE_SECONDS", 0.05)
    release = Event()
    store: Store = ledger.store

    def slow(mails: Sequence[Arrived], *, at: datetime) -> list[int]:
        release.wait(10)
        return store(mails, at=at)

    monkeypatch.setattr(ledger, "store", slow)

    async def use(committer: Committer) -> None:
        with pytest.raises(TryLater, match="slow"):
            await committer.commit(mail(1))
        with pytest.raises(TryLater, match="slow"):
            await committer.commit(mail(2))
        release.set()
        monkeypatch.setattr(committing, "PATIENCE_SECONDS", 10)
        await committer.commit(mail(3))

    run(use)
    # The first was under way; the second was given up before its turn, and its client sends it again.
    assert batches == [[b"1"], [b"3"]]


def test_too_much_at_once_is_later(batches: list[list[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing, "WAITING_MAILS", 3)

    async def use(committer: Committer) -> None:
        answers = await asyncio.gather(*(committer.commit(mail(n)) for n in range(5)), return_exceptions=True)
        assert [isinstance(answer, TryLater) for answer in answers] == [False] * 3 + [True] * 2

    run(use)


def test_one_mail_that_cannot_be_stored_harms_no_other(
    batches: list[list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Store = ledger.store

    def picky(mails: Sequence[Arrived], *, at: datetime) -> list[int]:
        if any(mail.raw == b"1" for mail in mails):
            raise DataError("not this one")
        return store(mails, at=at)

    monkeypatch.setattr(ledger, "store", picky)

    async def use(committer: Committer) -> None:
        answers = await asyncio.gather(*(committer.commit(mail(n)) for n in range(3)), return_exceptions=True)
        assert [isinstance(answer, TryLater) for answer in answers] == [False, True, False]

    run(use)


def test_without_a_database_all_are_told_and_the_next_are_tried(
    batches: list[list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Store = ledger.store
    down = True

    def sometimes(mails: Sequence[Arrived], *, at: datetime) -> list[int]:
        if down:
            raise OperationalError("down")
        return store(mails, at=at)

    monkeypatch.setattr(ledger, "store", sometimes)

    async def use(committer: Committer) -> None:
        nonlocal down
        with pytest.raises(TryLater):
            await committer.commit(mail(1))
        down = False
        await committer.commit(mail(2))

    run(use)
    assert batches == [[b"2"]]
