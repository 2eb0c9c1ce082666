"""One mail from its bytes to a `ParsedMail`. Never raises, whatever the bytes are; limits stand beside their code.

Nothing here stores, fetches or executes anything. What had to be repaired or cut is named in `defects`; the raw mail is
kept elsewhere, so nothing is lost by it.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from helpdesk.conversations.cleaning import one_line
from tickets.mail.addresses import parse_addresses
from tickets.mail.bodies import Content, collect
from tickets.mail.encoded_words import decode_words, text_of
from tickets.mail.mime import Entity, split
from tickets.mail.parsed import Address, ParsedMail

MAX_REFERENCES = 100
MAX_ID = 998
MAX_SUBJECT = 998
_MAX_VALUE = 16_384
_ANGLE_ID = re.compile(r"<([^<>]++)>")
_BLANKS = re.compile(r"\s+")
_DELIVERED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-rcpt-to")
_HASHED = ("from", "date", "subject", "message-id")


def parse(raw: bytes) -> ParsedMail:
    """Everything a mail says. For bytes that are no mail at all: whatever is readable as text, and defects."""
    try:
        root, defects = split(raw)
        return _mail(root, defects)
    except Exception as error:  # noqa: BLE001 - a mail must never be refused for being odd; the defect says what happened
        return _unreadable(raw, f"unreadable: {type(error).__name__}: {error}")


def _mail(root: Entity, defects: list[str]) -> ParsedMail:
    reader = _Headers(root, defects)
    text, html, content = collect(root)
    senders = reader.addresses("from")
    if len(reader.raw("from")) > 1:
        defects.append("more than one From header")
    if not senders:
        defects.append("no sender")
    subject = reader.values.get("subject", ("",))[0]
    if len(subject) > MAX_SUBJECT:
        defects.append(f"subject longer than {MAX_SUBJECT} characters")
    message_id = _ids(reader.raw("message-id")[:1])
    return ParsedMail(
        message_id=message_id[0] if message_id else "",
        in_reply_to=_ids(reader.raw("in-reply-to")),
        references=_ids(reader.raw("references")),
        subject=subject[:MAX_SUBJECT].rstrip(),
        date=reader.date(),
        sender=next((sender for sender in senders if sender.email), senders[0] if senders else None),
        reply_to=_reachable(reader.addresses("reply-to")),
        to=_reachable(reader.addresses("to")),
        cc=_reachable(reader.addresses("cc")),
        delivered_to=tuple(dict.fromkeys(a.email for name in _DELIVERED for a in reader.addresses(name) if a.email)),
        text=text,
        html=html,
        attachments=tuple(content.parts),
        headers=reader.values,
        content_type=root.content_type,
        content_hash=_content_hash(root),
        calendar=content.calendar,
        is_html_only=content.is_html_only,
        defects=_named(defects, content),
    )


class _Headers:
    """The root's header fields: `raw` as unfolded text still encoded, `values` decoded and on one line."""

    def __init__(self, root: Entity, defects: list[str]) -> None:
        charset = root.parameters.get("charset", "")
        self.defects = defects
        self._raw: dict[str, list[str]] = {}
        for name, value in root.fields:
            self._raw.setdefault(name, []).append(text_of(value, charset))
        self.values = {
            name: tuple(one_line(decode_words(value), _MAX_VALUE) for value in values)
            for name, values in self._raw.items()
        }

    def raw(self, name: str) -> list[str]:
        return self._raw.get(name, [])

    def addresses(self, name: str) -> list[Address]:
        values = self.raw(name)
        if not values:
            return []
        found, defects = parse_addresses(",".join(values))
        self.defects.extend(f"{words} in {name}" for words in defects)
        return found

    def date(self) -> datetime | None:
        """The Date header in UTC; None and a defect for dates that do not exist or lie outside 1970 to 2100."""
        values = self.values.get("date")
        if not values or not values[0]:
            return None
        try:
            found = parsedate_to_datetime(values[0][:100])
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            found = None
        if found is None or not 1970 <= found.year <= 2100:
            self.defects.append("date cannot be read")
            return None
        return found


def _reachable(addresses: Iterable[Address]) -> tuple[Address, ...]:
    return tuple(address for address in addresses if address.email)


def _ids(values: list[str]) -> tuple[str, ...]:
    """Message ids without angle brackets and inner white space, in order, each once, at most the last 100."""
    found: list[str] = []
    for value in values:
        ids = _ANGLE_ID.findall(value)
        if not ids:
            bare = value.strip().strip("<>").split()
            ids = [word for word in bare if "@" in word] if len(bare) > 1 else bare
        found += (_BLANKS.sub("", one_line(candidate, MAX_ID)) for candidate in ids)
    return tuple(dict.fromkeys(filter(None, found)))[-MAX_REFERENCES:]


def _content_hash(root: Entity) -> str:
    """sha256 hex over From, Date, Subject, Message-ID and the body: the same for every path a mail took to us.

    Trace headers, header folding, CRLF or LF and blank lines at the end do not count.
    """
    digest = hashlib.sha256()
    for name in _HASHED:
        for key, value in root.fields:
            if key == name:
                digest.update(name.encode() + b":" + b" ".join(value.split()) + b"\n")
    body = root.body
    digest.update(b"\n" + (body.replace(b"\r\n", b"\n") if b"\r" in body else body).rstrip(b"\n"))
    return digest.hexdigest()


def _named(defects: list[str], content: Content) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one_line(words, 200) for words in (*defects, *content.defects)))[:50]


def _unreadable(raw: bytes, defect: str) -> ParsedMail:
    return ParsedMail(
        message_id="",
        in_reply_to=(),
        references=(),
        subject="",
        date=None,
        sender=None,
        reply_to=(),
        to=(),
        cc=(),
        delivered_to=(),
        text="",
        html="",
        attachments=(),
        headers={},
        content_type="application/octet-stream",
        content_hash=hashlib.sha256(raw).hexdigest(),
        defects=(one_line(defect, 200),),
    )
