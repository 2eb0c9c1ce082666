"""Mails as customers' programs send them: multipart/alternative, about 4.5 KB, words of a natural distribution."""

import random
from collections.abc import Iterator

_WORDS = 20_000
_LINES = 13
_STYLE = 'style="margin:0 0 12px 0;font-family:Calibri,Arial,sans-serif;font-size:11.0pt;color:#1f2937"'


def vocabulary(seed: int = 7) -> tuple[list[str], list[float]]:
    """Words and their weights, after Zipf."""
    dice = random.Random(seed)
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(dice.choices(letters, k=dice.randint(2, 10))) for _ in range(_WORDS)]
    return words, [1 / (rank + 3) for rank in range(_WORDS)]


def texts(count: int, words_each: int, seed: int = 11) -> list[str]:
    """Texts of so many words, in lines of a dozen."""
    dice = random.Random(seed)
    words, weights = vocabulary()
    return [
        "\n".join(" ".join(dice.choices(words, weights, k=12)) for _ in range(max(1, words_each // 12)))
        for _ in range(count)
    ]


def address(number: int, run: str, senders: int) -> str:
    return f"p{number % senders}@{run}-{number % senders % 50}.example"


def mails(count: int, run: str, senders: int) -> Iterator[tuple[str, bytes]]:
    """Sender and raw mail. Each run has senders of its own, so that all runs meet as many new customers."""
    bodies = texts(200, 12 * _LINES)
    for number in range(count):
        sender = address(number, run, senders)
        text = f"Hello,\n\n{bodies[number % len(bodies)]}\n\nReference {run}-{number}\n"
        paragraphs = "".join(f"<p {_STYLE}>{line}</p>\r\n" for line in text.splitlines() if line)
        yield sender, _mail(sender, number, run, text, paragraphs).encode()


def _mail(sender: str, number: int, run: str, text: str, paragraphs: str) -> str:
    boundary = f"=_{run}_{number}"
    subject = " ".join(text.split()[1:6])
    return (
        f"Return-Path: <{sender}>\r\nReceived: from mx.example (mx.example [192.0.2.7]) by mail.demo.example; "
        f"Mon, 12 Jan 2026 09:00:00 +0100\r\nFrom: Person {number} <{sender}>\r\nTo: support@demo.example\r\n"
        f"Subject: {subject}\r\nDate: Mon, 12 Jan 2026 09:00:00 +0100\r\nMessage-ID: <{run}.{number}@mail.example>\r\n"
        f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + text.replace("\n", "\r\n")
        + f"\r\n--{boundary}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        f"<html><head><meta charset=utf-8></head><body>\r\n{paragraphs}</body></html>\r\n--{boundary}--\r\n"
    )
