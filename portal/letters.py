"""The portal's mails: plain letters in the customer's language, the same for every attempt at sending one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from helpdesk.customers.company import names
from helpdesk.events.safe_text import one_line


@dataclass(frozen=True, slots=True)
class Letter:
    """`template` is a text of `templates/portal/mail/`; `key` makes the Message-ID, so that none is sent twice."""

    to: str
    subject: str
    template: str
    key: str
    at: datetime
    given: Mapping[str, Any]


def made(letter: Letter) -> EmailMessage:
    """The mail, in the language that is active."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    text = render_to_string(f"portal/mail/{letter.template}", {**letter.given, "company": company()})
    return EmailMessage(
        one_line(letter.subject, 200),
        text,
        settings.DEFAULT_FROM_EMAIL,
        [letter.to],
        headers={
            "Date": format_datetime(letter.at),
            "Message-ID": f"<portal.{letter.key}@{host}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )


def company() -> str:
    """Whose portal it is: the company's name, else the host's."""
    return names()[0] or urlsplit(settings.PUBLIC_URL).hostname or ""


def address_of(path: str) -> str:
    """A path of ours as a whole address."""
    return f"{settings.PUBLIC_URL}{path}"
