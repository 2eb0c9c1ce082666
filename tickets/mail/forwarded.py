"""Whose mail was forwarded: the first From of the outermost forwarded block, or of the attached message.

The result says what the forwarder claims. Whether it becomes the requester of a ticket depends on who forwarded it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tickets.mail.addresses import email_of
from tickets.mail.header_blocks import find_header_block
from tickets.mail.parsed import Address, ParsedMail, Part
from tickets.mail.parsing import parse
from tickets.mail.quote_headers import header_key, header_value, is_original_message, is_rule, looks_like_address, plain
from tickets.mail.quote_headers import is_forward as announces_forward
from tickets.mail.quote_words import FROM, HEADER_KINDS, SUBJECT
from tickets.mail.subjects import is_forward, is_reply, without_prefixes

MOST_LINES = 5_000
"""Lines of a mail in which a forwarded block is looked for."""

_ATTACHED = ("message/rfc822", "message/global")
_QUOTE = re.compile(r"^[ \t]{0,3}>[ ]?")
_BRACKETED = re.compile(r"[<\[(](?:mailto:)?([^<>\[\]()\s]{3,254})[>\])]", re.IGNORECASE)
_BARE = re.compile(r"[^\s<>\[\]()\"',;:]{1,64}@[^\s<>\[\]()\"',;:]{1,190}")
_NAME_ENDS = re.compile(r"[<\[(]|\bmailto:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ForwardedMail:
    """The mail inside. `note` is what the forwarder wrote above it."""

    sender: Address
    subject: str
    text: str
    note: str


def forwarded_original(mail: ParsedMail) -> ForwardedMail | None:
    """The mail another mail forwards; None where it forwards none, or one whose sender has no readable address.

    A forwarding subject (`Fwd:`, `WG:`, `TR:` ...) lets any header block count. Without it only an announced one does
    ("---------- Forwarded message ---------"), or a single attached message, and never in an answer.
    """
    if mail.content_type == "multipart/report" or (is_reply(mail.subject) and not is_forward(mail.subject)):
        return None
    return _in_text(mail) or _attached(mail)


def _in_text(mail: ParsedMail) -> ForwardedMail | None:
    lines = mail.text.splitlines()
    bare = [plain(_QUOTE.sub("", line[:2_000], count=1)) for line in lines[:MOST_LINES]]
    for start, end in _blocks(bare, is_forward(mail.subject)):
        values = _values(bare[start : end + 1])
        sender = _sender(values.get(FROM, ""))
        if sender is None:
            return None
        text = lines[end + 1 :]
        if _QUOTE.match(lines[start]):
            text = [_QUOTE.sub("", line, count=1) for line in text]
        subject = values.get(SUBJECT, "") or without_prefixes(mail.subject)
        return ForwardedMail(sender, subject, "\n".join(text).strip(), _note(lines, bare, start))
    return None


def _blocks(bare: Sequence[str], is_told: bool) -> Iterator[tuple[int, int]]:
    """First and last line of each header block that may head a forwarded mail."""
    announced, at = False, 0
    while at < len(bare):
        block = find_header_block(bare, at) if bare[at] else None
        if block is not None and (announced or (is_told and block.is_message_header)):
            end = _end(bare, block.end)
            if FROM in _values(bare[at : end + 1]):
                yield at, end
            at = end
        elif bare[at]:
            # Between the announcement and its block there may be empty lines and rules, nothing else.
            announced = announces_forward(bare[at]) or (announced and is_rule(bare[at]))
        at += 1


def _end(bare: Sequence[str], end: int) -> int:
    """The last line of a block, recipients under a key of a language we do not know included."""
    while end + 1 < len(bare) and header_key(bare[end + 1]) and looks_like_address(header_value(bare[end + 1])):
        end += 1
    return end


def _values(block: Sequence[str]) -> dict[str, str]:
    """The first value of each kind of header, continued lines joined."""
    values: dict[str, str] = {}
    current = ""
    for line in block:
        kind = HEADER_KINDS.get(header_key(line), "")
        if kind:
            current = kind if kind not in values else ""
            values.setdefault(kind, header_value(line))
        elif current and line:
            values[current] = f"{values[current]} {line}".strip()
    return values


def _sender(value: str) -> Address | None:
    """The author in a From line of any mail program.

    `Max <max@x.example>`, `Max [mailto:max@x.example]`, `max@x.example<mailto:max@x.example>`, also
    `"other@y.example" <max@x.example>`: an address that only serves as a name is not the author's.
    """
    bracketed = [email for email in map(email_of, _BRACKETED.findall(value)) if email]
    bare = [email for email in map(email_of, _BARE.findall(value)) if email]
    email = bracketed[-1] if bracketed else next(iter(bare), "")
    if not email:
        return None
    name = _NAME_ENDS.split(value, maxsplit=1)[0].strip(" \t\"'*,;")
    return Address("" if "@" in name else name, email)


def _note(lines: Sequence[str], bare: Sequence[str], start: int) -> str:
    """The forwarder's words, without the rule or the announcement that leads over to the block."""
    while start and (not bare[start - 1] or _leads_over(bare[start - 1])):
        start -= 1
    return "\n".join(lines[:start]).strip()


def _leads_over(line: str) -> bool:
    return announces_forward(line) or is_original_message(line) or is_rule(line)


def _attached(mail: ParsedMail) -> ForwardedMail | None:
    messages = [part for part in mail.attachments if _is_message(part)]
    if not messages or (len(messages) > 1 and not is_forward(mail.subject)):
        return None
    inner = parse(messages[0].content)
    if inner.sender is None or not inner.sender.email:
        return None
    return ForwardedMail(inner.sender, inner.subject, inner.text.strip(), mail.text.strip())


def _is_message(part: Part) -> bool:
    return part.declared_type in _ATTACHED or part.content_type in _ATTACHED or part.name.lower().endswith(".eml")
