"""parse() on what no mailer would send: limits, floods, random bytes and mutations."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tickets.mail.samples import ORDINARY, mail, multipart
from tickets.mail.mime import MAX_DEPTH, MAX_PARTS
from tickets.mail.parsing import MAX_REFERENCES


def nested(levels: int) -> bytes:
    inner = (b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (i, i + 1) for i in range(levels))
    return b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n" + b"".join(inner) + b"--b%d\r\n\r\nhi\r\n" % levels


def defects_of(content: bytes, headers: bytes = ORDINARY) -> str:
    return "; ".join(mail(content, headers).defects)


def test_limits_are_named() -> None:
    assert f"nested deeper than {MAX_DEPTH}" in defects_of(nested(1_000))
    assert f"more than {MAX_PARTS} parts" in defects_of(multipart(b"mixed", *[b"\r\nhi"] * 100_000))
    assert "more than 100 addresses in cc" in defects_of(b"Cc: " + b"a@b.example, " * 20_000 + b"\r\n\r\nx")
    assert "more than 256 kB of headers" in defects_of(b"X: y\r\n" * 500_000 + b"\r\nx")
    assert "subject longer" in defects_of(b"\r\n", b"Subject: " + b" ".join([b"=?utf-8?q?word?="] * 20_000) + b"\r\n")
    big_html = mail(b"Content-Type: text/html\r\n\r\n" + b"<p>hello</p>" * 200_000)
    assert big_html.html == ""
    assert "hello" in big_html.text
    assert big_html.attachments[0].content_type == "text/html"
    big_text = mail(b"\r\n" + b"line\r\n" * 400_000)
    assert "attached as a file" in "; ".join(big_text.defects)
    assert len(big_text.attachments[0].content) > len(big_text.text)
    assert (
        len(mail(b"References: " + b" ".join(b"<%d@x>" % i for i in range(5_000)) + b"\r\n\r\n").references)
        == MAX_REFERENCES
    )


@pytest.mark.parametrize(
    "content",
    [
        b"To: " + b"(" * 20_000 + b"\r\n\r\n",
        b"To: " + b'"\\' * 20_000 + b"\r\n\r\n",
        b"To: " + b"<" * 20_000 + b"\r\n\r\n",
        b"Content-Type: text/plain;" + b';a="' * 50_000 + b"\r\n\r\n",
        b"Content-Type: text/html\r\n\r\n" + b"<div>" * 100_000,
        b"Content-Type: text/html\r\n\r\n" + b"<" * 900_000,
        b"Content-Type: text/html\r\n\r\n<table><tr>" + b"<td>x" * 40_000,
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--bx\n" * 300_000,
        b"\r\n" + b"begin 644 a\n" * 100_000 + b"end",
        b"\r\n" + b"x" * 1_000_000,
        b"Content-Type: text/plain; charset=utf-7\r\n\r\n" + b"+2AA-" * 50_000,
        b"Content-Type: text/calendar\r\n\r\nBEGIN:VEVENT\r\n" + b'A;B="' * 100_000,
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QQ==\n" * 100_000,
    ],
    ids=lambda content: repr(content[:40]),
)
def test_hostile_mails_are_read(content: bytes) -> None:
    mail(content)


@settings(deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes(raw: bytes) -> None:
    mail(raw, headers=b"")


WHOLE = ORDINARY + multipart(
    b"mixed",
    b"Content-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\nContent-Type: text/plain; charset=utf-8;"
    b" format=flowed\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BCn=20\r\nx\r\n--in\r\nContent-Type: text/html\r\n\r\n"
    b"<p>x<img src=cid:a@b></p>\r\n--in--",
    b"Content-Type: image/png; name*0*=utf-8''%C3%BC; name*1=.png\r\nContent-ID: <a@b>\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=",
    b"Content-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?x?=\r\n\r\nbody",
)


JUNK = (b"\x00", b"\xff\xfe", b"\r\n", b"--frontier\r\n", b"=?utf-7?q?+2AA-?=", b'"')


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_any_mutation_of_a_mail(seed: int, times: int) -> None:
    dice = random.Random(seed)
    raw = bytearray(WHOLE)
    for _ in range(times):
        position = dice.randrange(len(raw))
        match dice.randrange(4):
            case 0:
                raw[position] = dice.randrange(256)
            case 1:
                del raw[position : position + dice.randrange(60)]
            case 2:
                start = dice.randrange(len(raw))
                raw[position:position] = raw[start : start + dice.randrange(200)]
            case _:
                raw[position:position] = dice.choice(JUNK)
    mail(bytes(raw), headers=b"")
