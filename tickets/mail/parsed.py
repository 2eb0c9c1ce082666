"""What a mail says, once its bytes were understood. Plain values: no Django, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of an address header: `name` is decoded and free of control characters, `email` is lower-cased."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Part:
    """One attached file: `name` is safe to show and store, `content_type` sniffed, `declared_type` the sender's."""

    name: str
    content_type: str
    declared_type: str
    content: bytes
    content_id: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One RFC 5322 message, every field decoded and cleaned of control characters.

    `text` is the whole plain text (from the HTML part where there is no other, as `is_html_only` says), `html` the raw
    HTML part, not yet sanitised. `defects` names whatever had to be repaired or cut; an empty tuple means nothing was.
    """

    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    subject: str
    date: datetime | None
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    delivered_to: tuple[str, ...]
    text: str
    html: str
    attachments: tuple[Part, ...]
    headers: Mapping[str, tuple[str, ...]]
    content_type: str
    content_hash: str
    calendar: str = ""
    is_html_only: bool = False
    defects: tuple[str, ...] = field(default=())

    def header(self, name: str) -> str:
        """The first value of a header, decoded; empty where there is none."""
        return next(iter(self.headers.get(name.lower(), ())), "")
