"""parse(): what real mailers send, what broken ones send, and what an attacker would."""

import base64
import codecs
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.conversations.cleaning import one_line
from helpdesk.conversations.filenames import MAX_NAME, safe_name
from tests.tickets.mail.samples import ORDINARY, PNG, attached, mail, multipart
from tickets.mail.addresses import email_of, parse_addresses
from tickets.mail.parsed import Address
from tickets.mail.parsing import parse


def test_an_ordinary_mail() -> None:
    found = mail(b"\r\nHello\r\nthere\r\n")
    assert found.sender == Address("Jürgen", "juergen@example.org")
    assert [a.email for a in found.to] == ["support@desk.example", "b@c.example"]
    assert found.subject == "Grüße from me"
    assert found.date == datetime(2024, 1, 1, 9, tzinfo=UTC)
    assert found.message_id == "Abc.1@Example.org"
    assert found.references == ("a@x", "b@x")
    assert found.in_reply_to == ("b@x",)
    assert found.text == "Hello\nthere"
    assert found.header("Subject") == "Grüße from me"
    assert found.defects == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"alice@example.org)bob@evil.example", ""),
        (b'"alice@example.org"bob@evil.example', ""),
        (b'"bob smith"@example.org', '"bob smith"@example.org'),
        (b"alice@example.org <bob@evil.example>", "bob@evil.example"),
        (b"Alice <alice@example.org> <bob@evil.example>", ""),
        (b"alice@example.org(x)bob@evil.example", ""),
        (b"<alice@example.org(x)bob@evil.example>", ""),
        (b"alice@example.org, bob@evil.example", "alice@example.org"),
        (b"Pete(A wonderful \\) chap) <pete(his account)@silly.test(his host)>", "pete@silly.test"),
        (b"MAILER-DAEMON", ""),
        (b"Root <root@>", ""),
        (b"Team: a@b.example, c@d.example;", "a@b.example"),
        (b"<@relay.example:mary@example.net>", "mary@example.net"),
        (b"=?utf-8?q?a=40evil=2Eexample=3E?= <good@example.org>", "good@example.org"),
        (b'"Unterminated <a@b.example>', "a@b.example"),
        (b"(Unterminated <a@b.example>", "a@b.example"),
        (b"Web Form alice@example.org", "alice@example.org"),
        ("a@b\u00fccher.example".encode(), "a@xn--bcher-kva.example"),
        (b"USER@[192.0.2.1]", "user@[192.0.2.1]"),
        (b"a@b..example", ""),
        (b"a b@c.example x@y.example", ""),
        (b"<mailto:a@b.example>", "a@b.example"),
    ],
)
def test_the_sender_is_one_unmistakable_address_or_none(value: bytes, expected: str) -> None:
    found = mail(b"From: " + value + b"\r\n\r\nx", headers=b"")
    assert found.sender is not None
    assert found.sender.email == expected
    assert ("an address cannot be read in from" in found.defects) == (expected == "")


@pytest.mark.parametrize("value", [b"", b"<>", b"undisclosed-recipients:;", b",,;"])
def test_headers_that_name_nobody(value: bytes) -> None:
    found = mail(b"From: " + value + b"\r\nTo: " + value + b"\r\n\r\nx", headers=b"")
    assert found.sender is None
    assert found.to == ()


def test_names_keep_no_controls_and_decode_inside_quotes() -> None:
    found = mail(b'From: "=?utf-8?q?Evil=0D=0ABcc=3A_x=E2=80=AEgpj?=" <a@b.example>\r\n\r\n', headers=b"")
    assert found.sender == Address("Evil Bcc: xgpj", "a@b.example")


@given(st.text(max_size=200))
def test_address_parsing_never_raises_and_gives_plain_addresses(value: str) -> None:
    for address in parse_addresses(value)[0]:
        assert address.name == one_line(address.name)
        if address.email:
            assert email_of(address.email) == address.email


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?B?w7w=?=\r\n =?utf-8?B?w7w=?=", "üü"),
        (b"=?utf-8?Q?gr=C3?= =?utf-8?Q?=BCn?=", "grün"),
        (b"=?utf-8?B?w7zDv?= =?utf-8?B?MO8?=", "üüü"),
        (b"=?iso-8859-1?q?=FC?= =?utf-8?q?=C3=BC?= x", "üü x"),
        (b"=?no-such?q?gr=FCn?=", "grün"),
        (b"pre=?utf-8?q?a b?=post", "prea bpost"),
        (b"gr\xfcn", "grün"),
        ("grün".encode(), "grün"),
        (b"=?utf-8?q?open", "=?utf-8?q?open"),
        (b"=?utf-8?q?x=0D=0ABcc=3A_a?=", "x Bcc: a"),
        (b"=?utf-8?q?=E2=80=AEevil=00?=", "evil"),
        (b"=?utf-7?q?+2AA-?=", "\ufffd"),
        (b"=?gb2312?B?xOO6ww==?=", "你好"),
        (b"=?ks_c_5601-1987?B?wMw=?=", "이"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
    ],
)
def test_subjects(raw: bytes, expected: str) -> None:
    assert mail(b"Subject: " + raw + b"\r\nFrom: a@b.example\r\n\r\nx", headers=b"").subject == expected


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (b"filename=plain.txt", "plain.txt"),
        (b"filename=with blank.txt", "with blank.txt"),
        (b'filename="quoted \\"x\\".txt"', "quoted _x_.txt"),
        (b"filename*=utf-8''gr%C3%BCn.txt", "grün.txt"),
        (b"filename*0*=utf-8''gr%C3; filename*1*=%BCn; filename*2=\".txt\"", "grün.txt"),
        (b'filename="=?utf-8?q?gr=C3=BCn=2Etxt?="', "grün.txt"),
        (b"filename==?utf-8?q?gr=C3=BCn.txt?=", "grün.txt"),
        (b'filename*0="=?utf-8?B?Z3LDvA=="; filename*1="?=n.txt"', "grün.txt"),
        (b'filename="gr\xfcn.txt"', "grün.txt"),
        (b'filename="../../etc/passwd"', "passwd"),
        (b'filename="C:\\\\x\\\\evil.exe"', "evil.exe"),
        (b'filename="invoice\xe2\x80\xaefdp.exe"', "invoicefdp.exe"),
        (b'filename="a\x00b\x1bc.txt"', "ab c.txt"),
        (b"filename=one.txt; filename=two.txt", "one.txt"),
        (b'filename="open.txt', "open.txt"),
    ],
)
def test_file_names(disposition: bytes, expected: str) -> None:
    found = mail(multipart(b"mixed", b"\r\nhi", attached(disposition)))
    assert [part.name for part in found.attachments] == [expected]


@given(st.text(max_size=400))
def test_safe_names_stay_safe(name: str) -> None:
    safe = safe_name(name, "file")
    assert 0 < len(safe) <= MAX_NAME
    assert not set(safe) & set('/\\<>:"|?*\x00\r\n\u202e')
    assert safe_name(safe, "file") == safe


def test_alternative_gives_text_and_html() -> None:
    found = mail(
        multipart(
            b"alternative", b"Content-Type: text/plain\r\n\r\nplain", b"Content-Type: text/html\r\n\r\n<b>rich</b>"
        )
    )
    assert (found.text, found.html, found.attachments) == ("plain", "<b>rich</b>", ())
    assert not found.is_html_only


def test_html_only_and_empty_plain_part_get_their_text_from_the_html() -> None:
    html = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>Gr\xc3\xbc\xc3\x9fe</p><ul><li>one</ul>"
    assert mail(html).text.startswith("Grüße")
    assert mail(html).is_html_only
    assert not mail(b"\r\nplain").is_html_only
    assert "one" in mail(multipart(b"alternative", b"Content-Type: text/plain\r\n\r\n \r\n", html)).text


def test_a_footer_beside_the_alternative_is_in_both_renditions() -> None:
    both = multipart(
        b"alternative", b"Content-Type: text/plain\r\n\r\nplain", b"Content-Type: text/html\r\n\r\n<b>rich</b>"
    )
    outer = both.replace(b"frontier", b"inner").strip()
    found = mail(multipart(b"mixed", outer, b"Content-Type: text/plain\r\n\r\nlist <footer>"))
    assert found.text == "plain\n\nlist <footer>"
    assert "rich" in found.html
    assert "list &lt;footer&gt;" in found.html


def test_inline_picture_of_a_related_part() -> None:
    picture = (
        b"Content-Type: image/png; name=logo.png\r\nContent-ID: <Logo@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    found = mail(
        multipart(
            b"related", b'Content-Type: text/html\r\n\r\n<img src="cid:Logo@x">', picture + base64.encodebytes(PNG)
        )
    )
    (part,) = found.attachments
    assert (part.content, part.content_type, part.content_id, part.inline) == (PNG, "image/png", "Logo@x", True)


@pytest.mark.parametrize(
    ("name", "declared", "content", "expected"),
    [
        (b"x.png", b"image/png", b"<svg xmlns='x'><script>1</script></svg>", "application/xml"),
        (b"x.svg", b"image/svg+xml", b"<?xml version='1.0'?><svg/>", "application/xml"),
        (b"x.jpg", b"image/jpeg", b"<html><script>1</script></html>", "text/html"),
        (b"x.gif", b"image/gif", b"just text", "text/plain"),
        (b"x.png", b"image/png", b"\x00\x01\x02\x03 not a picture at all", "application/octet-stream"),
        (b"x.bin", b"application/octet-stream", PNG, "image/png"),
        (b"x.pdf", b"image/png", b"%PDF-1.7 x", "application/pdf"),
        (b"x.csv", b"application/octet-stream", b"a;b\n1;2\n", "text/csv"),
    ],
)
def test_only_bytes_make_a_picture(name: bytes, declared: bytes, content: bytes, expected: str) -> None:
    found = mail(multipart(b"mixed", attached(b"filename=" + name, content, declared)))
    assert found.attachments[0].content_type == expected
    assert found.attachments[0].declared_type == declared.decode()


def test_attached_mail_becomes_an_eml_with_its_subject() -> None:
    found = mail(multipart(b"mixed", b"\r\nsee", b"Content-Type: message/rfc822\r\n\r\nSubject: Old case\r\n\r\nbody"))
    (part,) = found.attachments
    assert (part.name, part.content_type) == ("Old case.eml", "message/rfc822")
    assert part.content == b"Subject: Old case\r\n\r\nbody"


def test_calendar_is_summarised_and_stays_attached() -> None:
    ics = (
        b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Review\\, all\r\n hands\r\n"
        b"DTSTART;TZID=Europe/Berlin:20250301T100000\r\nDTEND;TZID=Europe/Berlin:20250301T110000\r\n"
        b'ORGANIZER;CN="Ada":mailto:ada@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n'
    )
    found = mail(multipart(b"alternative", b"\r\nplain", b"Content-Type: text/calendar; method=REQUEST\r\n\r\n" + ics))
    assert found.calendar == (
        "Invitation: Review, allhands\nWhen: 2025-03-01 10:00 (Europe/Berlin) to 2025-03-01 11:00 (Europe/Berlin)\n"
        "Organizer: Ada <ada@example.org>"
    )
    assert [(p.name, p.content_type) for p in found.attachments] == [("invite.ics", "text/calendar")]
    assert found.text == "plain"


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        (b"base64", b"SGVsbG8gd29ybGQ", "Hello world"),
        (b"base64", b"SGVs\r\nbG8s!IHdvcmxkLCBhbmQgYWxsIG9mIHlvdQ==", "Hello, world, and all of you"),
        (b"base64", b"SGVsbG8=IHdvcmxk", "Hello world"),
        (b"base64", b"This is no base64 at all, is it?", "This is no base64 at all, is it?"),
        (b"quoted-printable", b"gr=C3=BCn =ZZ =\r\nx=", "grün =ZZ x"),
        (b"Quoted-Printable;", b"gr=c3=bcn", "grün"),
        (b"7-bit", b"plain", "plain"),
        (b"nonsense", b"plain", "plain"),
    ],
)
def test_transfer_encodings_with_damage(encoding: bytes, body: bytes, expected: str) -> None:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n"
    assert mail(head + body).text == expected


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("iso-8859-1", "Grüße".encode("cp1252")),
        ("us-ascii", "Grüße".encode()),
        ("no-such", "Grüße".encode()),
        ("utf-8", "Grüße".encode("cp1252")),
        ("charset=utf-8", "Grüße".encode()),
        ("punycode", "Grüße".encode()),
        ("zlib", "Grüße".encode()),
        ("", "Grüße".encode("cp1252")),
    ],
)
def test_charsets(charset: str, body: bytes) -> None:
    assert mail(f'Content-Type: text/plain; charset="{charset}"\r\n\r\n'.encode() + body).text == "Grüße"


def test_unknown_charset_names_do_not_reach_the_codec_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> codecs.CodecInfo:
        raise AssertionError(name)

    monkeypatch.setattr(codecs, "lookup", refuse)
    assert mail(b"Content-Type: text/plain; charset=x-evil-17\r\n\r\nhi").text == "hi"


def test_uuencoded_file_in_a_text() -> None:
    lines = [codecs.encode(bytes(range(i, i + 45)), "uu").split(b"\n")[1] for i in range(0, 180, 45)]
    body = b"\r\nSee the file.\r\nbegin 644 data.bin\r\n" + b"\r\n".join(lines) + b"\r\n`\r\nend\r\nBye\r\n"
    found = mail(body)
    assert found.text == "See the file.\nBye"
    assert [(p.name, p.content) for p in found.attachments] == [("data.bin", bytes(range(180)))]
    assert mail(b"\r\nbegin 644 times\r\nand again\r\nend\r\n").attachments == ()


def test_flowed_text() -> None:
    flowed = b'Content-Type: text/plain; format="flowed"\r\n\r\nOne \r\nparagraph\r\n> quo \r\n> ted\r\n-- \r\nme'
    assert mail(flowed).text == "One paragraph\n> quo ted\n-- \nme"


def test_broken_structure_is_read_and_named() -> None:
    part = b"Content-Type: text/plain\r\n\r\nhi\r\n"
    assert mail(b"Content-Type: multipart/mixed\r\n\r\n--x1\r\n" + part + b"--x1--").text == "hi"
    assert mail(b"Content-Type: multipart/mixed; boundary=wrong\r\n\r\n--x1\r\n" + part).text == "hi"
    assert mail(b"Content-Type: multipart/mixed; boundary=a\r\n\r\nno parts").text == "no parts"
    closed_too_early = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\none\r\n--a--\r\n--a\r\n\r\ntwo\r\n"
    assert mail(closed_too_early).text == "one\n\ntwo"
    prefix = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\none\r\n--ab\r\ntwo\r\n--a--"
    assert mail(prefix).text == "one\n--ab\ntwo"


@pytest.mark.parametrize(
    "raw",
    [
        b"From nobody Mon Jan 1 00:00:00 2024\nFrom: a@b.example\nSubject: s\n\nhi\n",
        b"\xef\xbb\xbfFrom: a@b.example\r\nSubject: s\r\n\r\nhi",
        b"\r\n\r\nFrom: a@b.example\r\nSubject: s\r\n\r\nhi",
        b" From: a@b.example\r\nSubject: s\r\n\r\nhi",
        b"From: a@b.example\rSubject: s\r\rhi\r",
        b"From: a@b.example\nbroken header line\nSubject: s\n\nhi",
        b"From: a@b.example\nSubject: s\nhi",
    ],
)
def test_odd_beginnings(raw: bytes) -> None:
    found = mail(raw, headers=b"")
    assert found.sender == Address("", "a@b.example")
    assert (found.subject.split()[0], found.text) == ("s", "hi")


def test_the_content_hash_ignores_the_path_and_sees_the_content() -> None:
    first = mail(b"\r\nbody\r\n").content_hash
    other_path = (
        b"Received: by x\r\nDelivered-To: y@z\r\n" + ORDINARY.replace(b"from\r\n me", b"from me") + b"\r\nbody\r\n\r\n"
    )
    assert parse(other_path).content_hash == first
    assert parse(other_path.replace(b"\r\n", b"\n")).content_hash == first
    assert mail(b"\r\nbody!\r\n").content_hash != first
    assert parse(other_path.replace(b"Abc.1@", b"Abc.2@")).content_hash != first
