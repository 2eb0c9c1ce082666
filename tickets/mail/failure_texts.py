"""The human-readable half of a bounce: whom its wording names, and why they were not reached."""

import logging
import re
from collections.abc import Iterator, Sequence
from email.message import Message
from email.utils import parseaddr

from flufl.bounce import all_failures

from tickets.mail.delivery_reports import (
    ADDRESS,
    LARGEST,
    LONGEST_DIAGNOSTIC,
    LONGEST_LINE,
    MOST_RECIPIENTS,
    FailedRecipient,
    address_in,
    status_in,
    text_of,
)
from tickets.mail.parsed import ParsedMail

logger = logging.getLogger(__name__)

MOST_LINES = 1_500

DAEMON = re.compile(
    r"(?:mailer[-_.]?daemon|post[-_.]?master|mdaemon|mail[-_.]?daemon|mail[-_.]?delivery[\w.-]{0,30}|mailadm|ndr|bounces?)"
    r"(?:[+@-]|$)"
)
_REPLY_CODE = re.compile(r"(?<![\d.-])([45])\d\d(?=[ -])")
_DELAY = re.compile(
    r"delay|not yet (?:been )?delivered|still being retried|will (?:be retried|keep trying)|verzöger|verspätet"
    r"|retard|retras|ritard|vertraag|försen|forsink|opóźni|zpožd|viivästy",
    re.IGNORECASE,
)
_RETURNED_TEXT = re.compile(
    r"^[-\s>*=]{0,20}(?:below this line|below the next line|(?:this is )?(?:a |the )?(?:included |unsent )?copy of"
    r"|(?:the )?(?:original|returned|undelivered|unsent) (?:message|mail)|message (?:headers?|text) follow"
    r"|(?:received|return-path|message-id|dkim-signature): )",
    re.IGNORECASE | re.MULTILINE,
)


def told_by(parts: Sequence[Message], mail: ParsedMail) -> str:
    """What the mail itself says to a reader, without the message it returns as an attachment."""
    plain = [plain_text(part) for part in parts if part.get_content_type() == "text/plain"]
    return "\n".join(plain) if any(plain) else mail.text[:LARGEST]


def announced(mail: ParsedMail, told: str) -> tuple[FailedRecipient, ...]:
    """The recipients in `X-Failed-Recipients` (Exim, Google)."""
    named = ",".join(mail.headers.get("x-failed-recipients", ()))[: 50 * LONGEST_LINE]
    addresses = dict.fromkeys(filter(None, (address_in(one) for one in named.split(","))))
    return _from_text(list(addresses)[:MOST_RECIPIENTS], not _DELAY.search(mail.subject[:500]), told)


def described(message: Message, parts: Sequence[Message], told: str) -> tuple[FailedRecipient, ...]:
    """The recipients flufl.bounce finds in the wording; nobody where it raises."""
    try:
        temporary, permanent = all_failures(_plain_copy(message, parts))
    except Exception as error:  # noqa: BLE001 - flufl.bounce raises all sorts of errors on real mail: it found nothing then
        logger.info("flufl.bounce gave up: %s", type(error).__name__)
        return ()
    for_now = [one.decode("ascii", "replace") for one in sorted(temporary)]
    for_good = [one.decode("ascii", "replace") for one in sorted(permanent)]
    return (
        *_from_text([a for a in map(address_in, for_good) if a][:MOST_RECIPIENTS], True, told),
        *_from_text([a for a in map(address_in, for_now) if a][:MOST_RECIPIENTS], False, told),
    )


def only_address(mail: ParsedMail, told: str) -> tuple[FailedRecipient, ...]:
    """The one address a certain bounce speaks of before it returns our message; nobody when it names several."""
    match = _RETURNED_TEXT.search(told[:20_000])
    before = told[: match.start() if match else 20_000]
    ours = {address.email for address in (*mail.to, *mail.cc)} | {mail.sender.email if mail.sender else ""}
    named = {address for address in (address_in(one) for one in ADDRESS.findall(before)) if address}
    others = [one for one in named - ours if not DAEMON.match(one)]
    return _from_text(others, not _DELAY.search(mail.subject[:500]), told) if len(others) == 1 else ()


def _from_text(addresses: Sequence[str], permanent: bool, told: str) -> tuple[FailedRecipient, ...]:
    """Recipients named by text, with the code and the reason that stand next to them."""
    lines = [line[:LONGEST_LINE] for line in told.split("\n", MOST_LINES)[:MOST_LINES]]
    lowered = [line.lower() for line in lines]
    found = []
    for address in addresses:
        at = next((number for number, line in enumerate(lowered) if address in line), None)
        reason = "" if at is None else " ".join(" ".join(_paragraph(lines, at)).split())[:LONGEST_DIAGNOSTIC]
        found.append(FailedRecipient(address, permanent, _status_of(reason, permanent), reason))
    return tuple(found)


def _paragraph(lines: Sequence[str], start: int) -> Iterator[str]:
    """The line that names the address and what follows up to the second empty line: the reason may stand apart."""
    blank = 0
    for line in lines[start : start + 8]:
        blank += not line.strip()
        if blank > 1 or _RETURNED_TEXT.match(line):
            return
        yield line


def _status_of(reason: str, permanent: bool) -> str:
    """The code in a reason; its class alone where only an SMTP reply code is given; nothing where they contradict."""
    code = status_in(reason)
    if not code and (reply := _REPLY_CODE.search(reason)):
        code = f"{reply.group(1)}.0.0"
    return code if permanent or not code.startswith("5") else ""


def _plain_copy(message: Message, parts: Sequence[Message]) -> Message:
    """The mail as flufl.bounce can bear it: str headers, decoded text in few, short lines, nothing nested.

    Its patterns are tried on each line and some take quadratic time on a long one.
    """
    copy = Message()
    for name, value in message.raw_items():
        copy[name] = _clean(str(value))[:LONGEST_LINE]
    if not parseaddr(copy.get("From", ""))[1]:
        # One of its detectors raises where there is no sender, and all later ones are skipped.
        del copy["From"]
        copy["From"] = "nobody@invalid"
    if message.get_content_maintype() != "multipart":
        copy.set_payload(plain_text(message))
    else:
        copy.set_payload([_plain_part(part) for part in parts if part.get_content_maintype() != "multipart"])
    del copy["content-transfer-encoding"]
    return copy


def _plain_part(part: Message) -> Message:
    copy = Message()
    copy["Content-Type"] = (
        part.get_content_type() if part.get_content_maintype() == "text" else "application/octet-stream"
    )
    copy["Content-Description"] = _clean(str(part.get("content-description", "")))[:LONGEST_LINE]
    copy.set_payload(plain_text(part) if part.get_content_maintype() == "text" else "")
    return copy


def plain_text(part: Message) -> str:
    """The first lines of a text part, decoded and each cut to a bearable length."""
    lines = text_of(part).splitlines()[:MOST_LINES]
    return "\n".join(_clean(line[:LONGEST_LINE]) for line in lines)


def _clean(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode("utf-8", "replace").splitlines())
