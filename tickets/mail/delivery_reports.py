"""The machine-readable half of a bounce: delivery status reports (RFC 3464, in other scripts RFC 6533)."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.policy import compat32

logger = logging.getLogger(__name__)

LARGEST = 500_000
"""Bytes of a bounce that are read: the report comes first, the returned message after it may be cut."""
MOST_PARTS = 50
MOST_RECIPIENTS = 200
LONGEST_LINE = 1_000
LONGEST_HEADER = 32_000
LONGEST_DIAGNOSTIC = 500

_REPORTS = ("message/delivery-status", "message/global-delivery-status")
ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'@]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,10}(?!\.{0,3}[\w@-]|\.\.)")
_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_DIAGNOSTIC_TYPE = re.compile(r"^[\w-]{1,20}\s?;\s?")


@dataclass(frozen=True, slots=True)
class FailedRecipient:
    """One address that was not reached.

    `permanent` means nobody tries any more (`Action: failed`, whatever class the status has); a delayed mail is not.
    `status` is the RFC 3463 code ("5.1.1", "4.0.0" where only its class is known, empty where nothing is).
    """

    address: str
    permanent: bool
    status: str
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says. `actions` are all its actions, those of success included; without any there was no report."""

    recipients: tuple[FailedRecipient, ...]
    actions: frozenset[str]


def read_report(parts: Sequence[Message]) -> Report:
    """The report among the parts of a mail; an empty one where there is none."""
    blocks = [block for part in parts if part.get_content_type() in _REPORTS for block in _blocks(part)]
    return Report(_reported(blocks), frozenset(_action(block) for block in blocks) - {""})


def open_mail(raw: bytes) -> Message | None:
    """The MIME structure of the first bytes of a mail; None where the standard library cannot tell it."""
    try:
        return BytesParser(policy=compat32).parsebytes(b"".join(_unfolded_at_most(raw[:LARGEST])))
    except (RecursionError, MessageError, ValueError, LookupError) as error:
        logger.info("not read as a bounce: %s", type(error).__name__)
        return None


def _unfolded_at_most(raw: bytes) -> Iterator[bytes]:
    """The lines without the far end of any giant header: the standard library reads parameters in quadratic time."""
    length = 0
    for line in raw.splitlines(keepends=True):
        length = length + len(line) if line[:1] in b" \t" else len(line)
        if length <= LONGEST_HEADER:
            yield line
        elif length == len(line):
            yield line[:LONGEST_HEADER] + b"\n"


def own_parts(message: Message) -> Iterator[Message]:
    """The parts of the mail itself: never those of the message it returns, whose reports are not about us."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        yield part
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting[:0] = [child for child in payload[:MOST_PARTS] if isinstance(child, Message)]


def unwrapped(parts: list[Message]) -> list[Message]:
    """The parts of the report inside where a virus gateway wrapped the whole bounce into another mail."""
    for part in parts:
        inner = part.get_payload(0) if part.get_content_type() == "message/rfc822" and part.is_multipart() else None
        if isinstance(inner, Message) and inner.get_content_type() == "multipart/report":
            return list(own_parts(inner))
    return parts


def text_of(part: Message) -> str:
    """The decoded text of a part, broken bytes replaced; empty for a multipart."""
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def address_in(text: str) -> str:
    """The address if the text is one and nothing else, lower-cased."""
    match = ADDRESS.fullmatch(text.strip().strip("<>\"'").strip()[:400])
    if not match or ".." in match.group():
        return ""
    return match.group().lower()


def status_in(text: str) -> str:
    match = _STATUS.search(text[:LONGEST_LINE])
    return match.group() if match else ""


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a delivery-status part (RFC 3464 section 2.1): one per message, one per recipient."""
    payload = part.get_payload()
    if isinstance(payload, list):
        blocks = [block for block in payload[: MOST_RECIPIENTS + 1] if isinstance(block, Message)]
        if any(_field(block, "final-recipient") or _field(block, "action") for block in blocks):
            return blocks
        text = "\n\n".join(text_of(block) for block in blocks)
    else:
        text = text_of(part)
    # Some servers encode the report although RFC 3464 forbids it, so that the standard library cannot split it.
    groups = re.split(r"\n[ \t\r]*\n", text[:LARGEST])
    return [HeaderParser().parsestr(group.lstrip()) for group in groups[: MOST_RECIPIENTS + 1] if group.strip()]


def _field(block: Message, name: str) -> str:
    """One field on one line. Raw 8-bit bytes arrive as a Header object: str() of it is safe, it is not itself."""
    return " ".join(str(block.get(name, ""))[: 4 * LONGEST_LINE].split())


def _action(block: Message) -> str:
    return _field(block, "action").lower().partition(" ")[0]


def _reported(blocks: Sequence[Message]) -> tuple[FailedRecipient, ...]:
    failed: dict[str, FailedRecipient] = {}
    for block in blocks[: MOST_RECIPIENTS + 1]:
        action = _action(block)
        diagnostic = _DIAGNOSTIC_TYPE.sub("", _field(block, "diagnostic-code"))
        status = status_in(_field(block, "status")) or status_in(diagnostic)
        if action.startswith(("fail", "error")) or (not action and status.startswith("5")):
            permanent = True
        elif action.startswith("delay") or (not action and status.startswith("4")):
            permanent = False
        else:
            continue
        address = _reported_address(block)
        if address:
            failed.setdefault(
                address,
                FailedRecipient(address, permanent, status, diagnostic[:LONGEST_DIAGNOSTIC]),
            )
    return tuple(failed.values())


def _reported_address(block: Message) -> str:
    """The address we wrote to, else the one it was forwarded to, with or without its `rfc822;`."""
    for name in ("original-recipient", "final-recipient"):
        kind, separator, value = _field(block, name).partition(";")
        if separator and kind.strip().lower() not in ("rfc822", "utf-8", ""):
            continue
        address = address_in(value if separator else kind)
        if address:
            return address
    return ""
