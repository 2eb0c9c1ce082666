"""DKIM signatures are checked as the standards' examples and another implementation make them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tickets.mail.signing import Canonical, key, signed
from tickets.mail import dkim_signatures
from tickets.mail.dkim_signatures import MAX_HEADER_BYTES, is_valid, read_signatures

# RFC 8463, appendix A: one mail, two signatures, two keys.
SIX_PACK = b"""\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""
BRISBANE = b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
TEST = (
    b"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
    b"iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
    b"DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
    b"Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)
NOW = datetime.now(UTC)
PLAIN = (
    b"From: Grace <grace@demo.example>\r\nTo: support@demo.example\r\nSubject: Fwd:  Shop\r\n\tdown\r\n"
    b"Message-ID: <1@demo.example>\r\nContent-Type: text/plain\r\n\r\nPlease  look.\t \r\n \r\nThanks\r\n\r\n\r\n"
)


def verdicts(raw: bytes, record: bytes, at: datetime = NOW) -> list[bool]:
    mail, found = read_signatures(raw, at)
    return [mail is not None and is_valid(mail, signature, record) for signature in found]


def test_the_standards_own_mail() -> None:
    for raw in (SIX_PACK, SIX_PACK.replace(b"\n", b"\r\n")):
        assert verdicts(raw, BRISBANE) == [True, False]
        assert verdicts(raw, TEST) == [False, True]
        assert verdicts(raw.replace(b"dinner", b"supper"), TEST) == [False, False]
        assert verdicts(raw.replace(b"hungry", b"thirsty"), BRISBANE) == [False, False]


CANONICAL = [(head, body) for head in (b"simple", b"relaxed") for body in (b"simple", b"relaxed")]


@pytest.mark.parametrize("canonical", CANONICAL)
@pytest.mark.parametrize(
    "body", [b"", b"\r\n\r\n", b" \r\n", b"a", b"a \t b\r\n", b"\r\n\r\nx  \r\n\t\r\n\r\n", b".\r\n \r\n"]
)
def test_bodies_as_another_signs_them(canonical: Canonical, body: bytes) -> None:
    raw = signed(PLAIN.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body, "demo.example", canonical)
    assert verdicts(raw, key()[1].encode()) == [True]


@settings(max_examples=60, deadline=None)
@given(body=st.text(alphabet=" \t\r\nab.", max_size=60), canonical=st.sampled_from(CANONICAL))
def test_any_body_is_read_as_another_signs_it(body: str, canonical: Canonical) -> None:
    raw = signed(PLAIN.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body.encode() + b"\r\n", "demo.example", canonical)
    assert verdicts(raw, key()[1].encode()) == [True]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_byte_that_is_shown_can_be_changed(data: st.DataObject) -> None:
    raw = signed(PLAIN, "demo.example", (b"simple", b"simple"))
    place = data.draw(st.integers(raw.index(b"From:"), len(raw) - 1))
    byte = data.draw(st.integers(33, 126).map(lambda number: bytes([number])))
    changed = raw[:place] + byte + raw[place + 1 :]
    header_end = raw.index(b"\r\n\r\n")
    is_signed = place > header_end + 3 or b"Content-Type" not in raw[max(0, place - 30) : place + 14]
    if changed != raw and is_signed:
        assert True not in verdicts(changed, key()[1].encode())


@pytest.mark.parametrize(
    "more",
    [
        b"Subject: other\r\n",
        b"From: eve@evil.example\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"SUBJECT : other\r\n",
    ],
)
def test_a_second_header_put_above_the_signed_one(more: bytes) -> None:
    assert verdicts(more + signed(PLAIN, "demo.example"), key()[1].encode()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"v=1;", b"v=2;"),
        (b"rsa-sha256", b"rsa-sha1"),
        (b"v=1;", b"v=1; l=3;"),
        (b"v=1;", b"v=1; x=1528637909;"),
        (b"v=1;", b"v=1; t=99999999999;"),
        (b"v=1;", b"v=1; v=1;"),
        (b"i=@demo.example", b"i=@evil.example"),
        (b"d=demo.example", b"d=demo.example/../x"),
        (b"s=sel", b"s=sel.\xc3\xa9"),
        (b"c=relaxed/relaxed", b"c=relaxed/nothing"),
        (b"q=dns/txt", b"q=http"),
        (b"bh=", b"hb="),
        (b"b=", b"b=!"),
        (b"v=1;", b"v=1; z=" + b"x" * 9000 + b";"),
        (b"v=1;", b"v=1; h=" + b"a:" * 4000 + b";"),
    ],
)
def test_signatures_that_are_not_believed(old: bytes, new: bytes) -> None:
    raw = signed(PLAIN, "demo.example")
    assert True not in verdicts(raw.replace(old, new, 1), key()[1].encode())


def test_from_and_subject_must_be_signed() -> None:
    assert verdicts(signed(PLAIN, "demo.example", include_headers=[b"from", b"to"]), key()[1].encode()) == []
    without = PLAIN.replace(b"Subject: Fwd:  Shop\r\n\tdown\r\n", b"")
    assert verdicts(signed(without, "demo.example", include_headers=[b"from"]), key()[1].encode()) == [True]
    assert verdicts(signed(PLAIN, "demo.example", length=True), key()[1].encode()) == []


@pytest.mark.parametrize(
    "record",
    [
        "",
        "v=DKIM1; p=",
        "v=DKIM1; p=!!!!",
        "v=DKIM1; p=QUJD",
        "v=DKIM2; {p}",
        "v=DKIM1; t=y; {p}",
        "v=DKIM1; k=ed25519; {p}",
        "v=DKIM1; h=sha1; {p}",
        "v=DKIM1; s=tlsrpt; {p}",
        "v=DKIM1; {p}; {p}",
    ],
)
def test_records_that_prove_nothing(record: str) -> None:
    p = key()[1].rpartition("; ")[2]
    raw = signed(PLAIN, "demo.example")
    assert verdicts(raw, f"v=DKIM1; s=email; {p}".encode()) == [True]
    assert verdicts(raw, record.replace("{p}", p).encode()) == [False]


def test_a_key_that_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = signed(PLAIN, "demo.example", bits=1024)
    assert verdicts(raw, key(1024)[1].encode()) == [True]
    monkeypatch.setattr(dkim_signatures, "MIN_KEY_BITS", 1025)
    assert verdicts(raw, key(1024)[1].encode()) == [False]


def test_it_holds_from_its_making_until_its_end() -> None:
    raw = signed(PLAIN, "demo.example")
    assert verdicts(raw, key()[1].encode(), NOW + timedelta(days=900)) == [True]
    assert verdicts(raw, key()[1].encode(), NOW - timedelta(days=2)) == []


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=100))
def test_anything_is_read_without_raising(rest: bytes, record: bytes) -> None:
    for raw in (rest, b"From: a@b.c\nDKIM-Signature:" + rest, b"DKIM-Signature: v=1; a=rsa-sha256;" + rest + b"\n\n"):
        assert True not in verdicts(raw, record)


@pytest.mark.parametrize(
    "filler", [b" " * 200_000, b"\r\n " * 60_000, b";" * 200_000, b"b=a" * 60_000, b"\r\n\t\r\n" * 40_000]
)
def test_hostile_headers_are_read_in_one_pass(filler: bytes) -> None:
    assert verdicts(b"From: a@b.c\r\nDKIM-Signature: v=1;" + filler + b"\r\n\r\nx", b"") == []
    assert verdicts(b"X: y\r\nDKIM-Signature: v=1" + b"x" * MAX_HEADER_BYTES + b"\r\n\r\nx", b"") == []


def test_a_large_body_of_blanks_is_read_in_one_pass() -> None:
    raw = signed(PLAIN, "demo.example")
    mail, (signature,) = read_signatures(raw + b" " * 4_000_000 + b"x" + b"\r\n" * 2_000_000, NOW)
    assert mail is not None
    assert not is_valid(mail, signature, key()[1].encode())
