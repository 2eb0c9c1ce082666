"""Pages by e-mail: readable on a phone, one link to acknowledge, nothing that another machine would answer."""

import asyncio
import hashlib
from email.utils import parseaddr
from html import escape

import httpx
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email

from helpdesk.events.outcomes import Ambiguous, NeverRetry
from helpdesk.events.safe_text import one_line, storable
from helpdesk.events.sending_mail import send_email
from helpdesk.oncall import page_words
from helpdesk.oncall.page_words import known, say
from helpdesk.oncall.pagers.base import Notice, Sent, headline, label

TOTAL_SECONDS = 20.0


class EmailPager:
    """Sends through Django's mail backend, in a thread of its own, from `sender`."""

    name = "email"

    def __init__(self, sender: str) -> None:
        self._sender = sender

    @property
    def is_configured(self) -> bool:
        return bool(self._sender)

    async def send(self, client: httpx.AsyncClient, notice: Notice) -> Sent:
        """The reference is the Message-ID. `client` is not used: mail has its own connections."""
        message = page_email(notice, self._sender)
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                await sync_to_async(send_email, thread_sensitive=False)(message)
        except TimeoutError as error:
            raise Ambiguous(f"the mail server did not finish within {TOTAL_SECONDS:g} s") from error
        return Sent(message_id(notice, self._sender))


def message_id(notice: Notice, sender: str) -> str:
    """The same for every attempt at one (page, recipient, action, round), so a repeated send is seen as one mail."""
    told = f"{notice.page_id}\n{notice.dedup_key}\n{notice.to.casefold()}\n{notice.action}\n{notice.round}"
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    return f"<page-{notice.page_id}-{hashlib.sha256(told.encode('utf-8', 'replace')).hexdigest()[:24]}@{domain}>"


def page_email(notice: Notice, sender: str) -> EmailMultiAlternatives:
    """The mail for one notice. Raises NeverRetry when the recipient's address is not one."""
    try:
        validate_email(notice.to)
    except ValidationError as error:
        raise NeverRetry(f"not an e-mail address: {one_line(notice.to, 100)!r}") from error
    message = EmailMultiAlternatives(
        subject=_subject(notice),
        body=_text(notice),
        from_email=sender,
        to=[notice.to],
        headers=_headers(notice, sender),
    )
    message.attach_alternative(_html(notice), "text/html")
    return message


def _subject(notice: Notice) -> str:
    title = one_line(headline(notice), 200) or f"Page {notice.page_id}"
    is_urgent = notice.urgency == "high" and notice.action == "trigger"
    return f"[{say(notice.language, page_words.URGENT)}] {title}" if is_urgent else title


def _headers(notice: Notice, sender: str) -> dict[str, str]:
    headers = {
        "Message-ID": message_id(notice, sender),
        # RFC 3834: no out-of-office answers to a page; the second header says so to Exchange.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if notice.provider_ref.startswith("<") and notice.provider_ref != headers["Message-ID"]:
        first = one_line(notice.provider_ref, 200)
        headers |= {"In-Reply-To": first, "References": first}
    if notice.urgency == "high" and notice.action == "trigger":
        headers |= {"Importance": "high", "X-Priority": "1"}
    return headers


def _facts(notice: Notice) -> list[tuple[str, str]]:
    facts = [(label(key, notice.language), storable(value, 2000)) for key, value in notice.details.items() if value]
    if notice.acknowledged_by:
        facts.append((say(notice.language, page_words.BY), one_line(notice.acknowledged_by, 200)))
    facts.append((say(notice.language, page_words.SINCE), notice.occurred_at.strftime("%Y-%m-%d %H:%M %Z")))
    return facts


def _links(notice: Notice) -> list[tuple[str, str]]:
    links = [(page_words.ACKNOWLEDGE, notice.acknowledge_url)] if notice.action == "trigger" else []
    return [(say(notice.language, which), url) for which, url in [*links, (page_words.OPEN, notice.url)] if url]


def _text(notice: Notice) -> str:
    lines = [storable(headline(notice), 2000), ""]
    lines += [f"- {one_line(reason, 300)}" for reason in notice.reasons]
    lines += ["", *(f"{name}: {value}" for name, value in _facts(notice)), ""]
    lines += [f"{text}: {url}" for text, url in _links(notice)]
    return "\n".join(lines) + "\n"


def _html(notice: Notice) -> str:
    reasons = "".join(f"<li>{escape(one_line(reason, 300))}</li>" for reason in notice.reasons)
    rows = "".join(
        f'<tr><td style="padding:2px 12px 2px 0;color:#666">{escape(name)}</td><td>{escape(value)}</td></tr>'
        for name, value in _facts(notice)
    )
    buttons = " &nbsp; ".join(
        f'<a href="{escape(url)}" style="display:inline-block;padding:10px 18px;border-radius:6px;'
        f'background:#1f4fd8;color:#fff;text-decoration:none">{escape(text)}</a>'
        for text, url in _links(notice)
    )
    return (
        f'<!doctype html><html lang="{known(notice.language)}"><body style="font:16px/1.5 sans-serif">'
        f'<h1 style="font-size:20px">{escape(storable(headline(notice), 2000))}</h1>'
        f"<ul>{reasons}</ul><p>{buttons}</p><table>{rows}</table></body></html>"
    )
