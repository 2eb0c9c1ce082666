"""The mail that tells a subscriber of an update: written once for all who read the same, and filled in for each.

What differs from one to the next (address, links, ids) stands in the written mail as marks that nobody could have
guessed; where a mark did not survive the writing, the mail is written for that one reader instead.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.utils import format_datetime
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.customers.company import names
from helpdesk.desk import markdown
from helpdesk.events.safe_text import one_line
from status import addresses, concerned, mail_ids, subscriber_links, times, wording
from status.models import Incident, IncidentUpdate

LONGEST_SUBJECT: Final = 200
# Nobody reads more than that in a mail; the page has it all.
LONGEST_BODY: Final = 20_000
_MARKS: Final = {name: f"m{secrets.token_hex(16)}" for name in ("to", "own", "unsubscribe", "mail_id", "root")}
_EXPECTED: Final = {"to": 1, "own": 2, "unsubscribe": 3, "mail_id": 1, "root": 2}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom it goes to: the subscriber's id, key and address."""

    id: int
    key: UUID
    address: str


class Part(NamedTuple):
    """A component that the reader may know of, and how it is left."""

    id: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of: the updates, oldest first, of one incident, and how it leaves what the reader may know of; its
    times are those of `zone`.
    """

    incident: Incident
    updates: Sequence[IncidentUpdate]
    components: Sequence[Part]
    zone: ZoneInfo

    @property
    def newest(self) -> IncidentUpdate:
        return self.updates[-1]


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail for all who read the same; `content` is it as it leaves, empty where it cannot be filled in."""

    subject: str
    text: str
    html: str
    what: str
    root: str
    date: str
    content: bytes


def write(told: Told, language: str, *, at: datetime) -> Letter:
    """The mail, with marks where readers differ."""
    with override(language):
        said = _said(told)
        given = {**said, "own_url": _MARKS["own"], "unsubscribe_url": _MARKS["unsubscribe"]}
        text = render_to_string("status/mail/notice.txt", given)
        shown = [(heading, when, markdown.body(body)) for heading, when, body in said["updates"]]
        html = render_to_string("status/mail/notice.html", {**given, "updates": shown})
    incident = told.incident.public_id
    letter = Letter(said["subject"], text, html, told.newest.public_id, f"incident{incident}", format_datetime(at), b"")
    content = _mail(letter, _MARKS, _MARKS["to"], "").message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    is_whole = all(content.count(_MARKS[name].encode()) == count for name, count in _EXPECTED.items())
    return Letter(*_parts(letter), content if is_whole else b"")


def _parts(letter: Letter) -> tuple[str, str, str, str, str, str]:
    return letter.subject, letter.text, letter.html, letter.what, letter.root, letter.date


def _said(told: Told) -> dict[str, Any]:
    incident, newest = told.incident, told.newest
    name, company = one_line(incident.name, LONGEST_SUBJECT), names()[0]
    heading = _("Reminder") if newest.is_reminder else wording.status(newest.status)
    subject = f"{heading}: {name}" + (f" – {company}" if company else "")
    return {
        "subject": one_line(subject, LONGEST_SUBJECT),
        "name": name,
        "company": company,
        "heading": heading,
        "incident": incident,
        "impact": wording.impact(incident.shown_impact),
        "window": times.window(incident, told.zone),
        "updates": [
            (_heading(one), times.moment(one.display_at, told.zone), one.body[:LONGEST_BODY])
            for one in reversed(told.updates)
        ],
        "components": [(one_line(part.name, 120), wording.state(part.state)) for part in told.components],
        "url": concerned.incident_url(incident.pk, incident.public_id),
        "page_url": f"{addresses.page_url()}/",
    }


def _heading(update: IncidentUpdate) -> str:
    return _("Reminder") if update.is_reminder else wording.status(update.status)


def fill(letter: Letter, recipient: Recipient) -> EmailMultiAlternatives:
    """The letter for one reader; the same however often it is asked for, but for its date."""
    own = {
        "to": recipient.address if recipient.address.isascii() else sanitize_address(recipient.address, "utf-8"),
        "own": subscriber_links.own_url(recipient.key),
        "unsubscribe": subscriber_links.unsubscribe_url(recipient.key),
        "mail_id": mail_ids.mail_id(letter.what, recipient.id),
        "root": mail_ids.mail_id(letter.root, recipient.id),
    }
    content = _filled(letter.content, own)
    return _mail(letter, own, recipient.address, mail_ids.return_path(recipient.id), content)


def _filled(content: bytes, own: Mapping[str, str]) -> bytes:
    for name, value in own.items():
        content = content.replace(_MARKS[name].encode(), value.encode())
    return content


def _mail(
    letter: Letter, own: Mapping[str, str], to: str, return_path: str, content: bytes = b""
) -> EmailMultiAlternatives:
    text, html = letter.text, letter.html
    for name in ("own", "unsubscribe"):
        text, html = text.replace(_MARKS[name], own[name]), html.replace(_MARKS[name], own[name])
    mail = _Ready(
        letter.subject,
        text,
        # The envelope's sender; bounces come back to it.
        return_path or settings.DEFAULT_FROM_EMAIL,
        [to],
        headers={
            "From": settings.DEFAULT_FROM_EMAIL,
            "Date": letter.date,
            "Message-ID": f"<{own['mail_id']}>",
            # No mail has this id; naming it in all of them keeps those about one incident together.
            "In-Reply-To": f"<{own['root']}>",
            "References": f"<{own['root']}>",
            "List-Id": f"<status.{mail_ids.domain()}>",
            "List-Unsubscribe": f"<{own['unsubscribe']}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            # RFC 3834: nothing is to answer by itself; the second header says so to Exchange.
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    mail.attach_alternative(html, "text/html")
    mail.content, mail.named = content, own["mail_id"]
    return mail


class _Ready(EmailMultiAlternatives):
    """A mail whose bytes are there already: writing MIME anew for everybody takes longer than sending it."""

    content = b""
    named = ""

    def message(self, **options: Any) -> Any:
        return _Written(self.content, self.named) if self.content else super().message(**options)


class _Written(Message):
    """As much of a message as backends ask for."""

    def __init__(self, content: bytes, named: str) -> None:
        super().__init__()
        self["Message-ID"] = f"<{named}>"
        self._content = content

    def as_bytes(self, unixfrom: bool = False, policy: Any = None, linesep: str = "\r\n") -> bytes:
        return self._content
