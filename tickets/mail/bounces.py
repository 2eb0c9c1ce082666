"""Delivery failures: who was not reached, for good or for now, and which message of ours it was about.

Sources in order of trust: the machine-readable report (RFC 3464, RFC 6533), `X-Failed-Recipients` (Exim, Google), the
wordings flufl.bounce knows, and at last the only address named by a mail that is beyond doubt a bounce.
Nothing here proves that a bounce is genuine: act on it only when its VERP token or message id is one of ours.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message

from tickets.mail.delivery_reports import (
    LARGEST,
    LONGEST_LINE,
    FailedRecipient,
    open_mail,
    own_parts,
    read_report,
    text_of,
    unwrapped,
)
from tickets.mail.failure_texts import DAEMON, announced, described, only_address, told_by
from tickets.mail.parsed import ParsedMail
from tickets.mail.subjects import is_forward, is_reply

_RETURNED = (
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/global-headers",
)
_MESSAGE_ID = re.compile(r"^[ \t>]{0,8}Message-ID:\s{0,80}(<[^<>\s]{3,250}>)", re.IGNORECASE | re.MULTILINE)
_FAILURE_SUBJECT = re.compile(
    r"undeliver|non-?delivery|not (?:be )?delivered|returned (?:mail|to sender)|returning (?:message )?to sender"
    r"|deliver[a-z]{0,3} (?:has )?(?:fail|problem|status|report|notification|delay|warning|error|incomplete)"
    r"|fail(?:ed|ure)? (?:mail|notice|delivery)|mail (?:system )?(?:error|failed|failure)|rejected mail"
    r"|message (?:delayed|not delivered|has not yet)|delayed mail|processing error|user unknown"
    r"|unzustellbar|nicht zugestellt|zustell(?:ung|fehler)|non remis|échec de (?:la )?(?:remise|distribution)"
    r"|no se (?:puede|pudo|ha podido) entregar|no entregado|entrega fallida|non recapitabile|mancato recapito"
    r"|mancata consegna|onbestelbaar|niet bezorgd|não (?:foi )?entregue|falha na entrega|kan inte levereras"
    r"|ikke leveret|kunne ikke levere|nie można dostarczyć|niedostarcz|nedoručiteln|toimitus epäonnistui",
    re.IGNORECASE,
)
_FAILURE_TEXT = re.compile(
    r"^(?:your|this|a|the) (?:e-?mail )?(?:message|mail) (?:that you sent )?(?:could not|couldn't|cannot) be delivered"
    r"|^hi\. this is the [\w.-]{1,60} (?:program|deliver)|^i'?m sorry to have to inform you that",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Bounce:
    """One delivery report.

    `recipients` is empty where the mail is a bounce but names nobody; `original_message_id` keeps its angle brackets;
    `verp` is the `bounce+<token>@` address it came to. Both are empty where unknown.
    """

    recipients: tuple[FailedRecipient, ...]
    original_message_id: str
    verp: str


def read_bounce(raw: bytes, mail: ParsedMail) -> Bounce | None:
    """What a bounce says; None for any other mail, reports of success and read receipts included."""
    report, daemon = _is_report(mail), _came_from_a_daemon(mail)
    if not (report or daemon or _reads_like_a_failure(mail)):
        return None
    message = open_mail(raw)
    if message is None:
        return None
    parts = list(own_parts(message))
    if daemon and not report:
        parts = unwrapped(parts)
    status = read_report(parts)
    if status.actions and status.actions <= {"delivered", "relayed", "expanded"}:
        return None
    told = told_by(parts, mail)
    recipients = status.recipients or announced(mail, told) or described(message, parts, told)
    certain = daemon and (report or _has_failure_subject(mail))
    if not recipients and certain:
        recipients = only_address(mail, told)
    if not recipients and not certain and not (report and status.actions):
        return None
    return Bounce(recipients, _original_message_id(parts, mail), _verp(mail))


def _is_report(mail: ParsedMail) -> bool:
    declared = mail.header("content-type").lower()
    if "multipart/report" not in declared and mail.content_type != "multipart/report":
        return False
    return "disposition-notification" not in declared and "feedback-report" not in declared


def _came_from_a_daemon(mail: ParsedMail) -> bool:
    if mail.header("x-failed-recipients"):
        return True
    return_path = mail.headers.get("return-path", ())
    if any(path.strip() == "<>" for path in return_path[:1]) or mail.sender is None or not mail.sender.email:
        return True
    return bool(DAEMON.match(mail.sender.email)) or "mail delivery" in mail.sender.name.lower()


def _has_failure_subject(mail: ParsedMail) -> bool:
    return bool(_FAILURE_SUBJECT.search(mail.subject[:500])) and not _answers(mail)


def _answers(mail: ParsedMail) -> bool:
    """A person who answers or forwards a bounce keeps its subject behind a prefix."""
    return is_reply(mail.subject) or is_forward(mail.subject)


def _reads_like_a_failure(mail: ParsedMail) -> bool:
    if _has_failure_subject(mail):
        return True
    if mail.in_reply_to or mail.references or is_forward(mail.subject):
        return False
    return bool(_FAILURE_TEXT.search(mail.text[:2_000]))


def _original_message_id(parts: Sequence[Message], mail: ParsedMail) -> str:
    for part in parts:
        if part.get_content_type() in _RETURNED:
            found = _MESSAGE_ID.search(_returned_text(part))
            if found:
                return found.group(1)
    found = _MESSAGE_ID.search(mail.text[:LARGEST])
    if found:
        return found.group(1)
    return mail.in_reply_to[-1] if mail.in_reply_to else ""


def _returned_text(part: Message) -> str:
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        headers = (f"{name}: {' '.join(str(value).split())}" for name, value in payload[0].raw_items())
        return "\n".join(line[: 2 * LONGEST_LINE] for line in headers)
    return text_of(part)[:LARGEST]


def _verp(mail: ParsedMail) -> str:
    reached = [*mail.delivered_to, *(address.email for address in mail.to)]
    tokens = (address.strip().lower() for address in reached[:100])
    return next((one for one in tokens if re.match(r"bounces?[+=-][^@]{1,200}@", one)), "")
