"""Mails to take apart, and how a test parses one."""

from tests.tickets.mail.storable import assert_storable
from tickets.mail.parsed import ParsedMail
from tickets.mail.parsing import parse

ORDINARY = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <Juergen@Example.org>\r\nTo: Support <support@desk.example>, b@c.example\r\n"
    b"Subject: =?utf-8?B?R3LDvMOfZQ==?= from\r\n me\r\nDate: Mon, 1 Jan 2024 10:00:00 +0100\r\n"
    b"Message-ID: <Abc.1@Example.org>\r\nReferences: <a@x> <b@x>\r\nIn-Reply-To: <b@x>\r\nMIME-Version: 1.0\r\n"
)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


def mail(content: bytes, headers: bytes = ORDINARY) -> ParsedMail:
    found = parse(headers + content)
    assert_storable(found)
    assert not any(defect.startswith("unreadable") for defect in found.defects), found.defects
    return found


def multipart(kind: bytes, *parts: bytes) -> bytes:
    inner = b"".join(b"--frontier\r\n" + part + b"\r\n" for part in parts)
    return b'Content-Type: multipart/%s; boundary="frontier"\r\n\r\n%s--frontier--\r\n' % (kind, inner)


def attached(disposition: bytes, content: bytes = b"x", kind: bytes = b"application/octet-stream") -> bytes:
    return b"Content-Type: %s\r\nContent-Disposition: attachment; %s\r\n\r\n%s" % (kind, disposition, content)
