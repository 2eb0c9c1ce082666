"""The way back from a mail into the chat: a signed link that opens one conversation for 30 days, never a session.

The token stands behind the `#`, so that no server on the way writes it down and opening the page does nothing by
itself: only the page's own POST makes a session of it, and that session sees this one conversation.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from chat import sessions
from chat.models import Chat, Visit, Widget

LASTS: Final = timedelta(days=30)
SALT: Final = "chat.link"
LONGEST: Final = 400


class BadLink(ValueError):
    """The link is not ours, too old, or leads to what is not there any more."""


@dataclass(frozen=True, slots=True)
class _Said:
    public_id: UUID
    until: datetime


def make(chat: Chat, *, at: datetime) -> str:
    """The address that brings the customer back, the same whenever it is made for the same instant."""
    said = {"c": str(chat.public_id), "u": int((at + LASTS).timestamp())}
    page = f"{settings.PUBLIC_URL}{reverse('chat:page')}"
    # Without a time of signing, which would make each rendering of a mail another one.
    return f"{page}?key={chat.widget.key}#resume={signing.Signer(salt=SALT).sign_object(said)}"


@transaction.atomic
def enter(widget: Widget, token: str, *, at: datetime, language: str = "", timezone: str = "") -> tuple[Visit, str]:
    """A session that sees the link's conversation and no other, and its token. Raises BadLink."""
    said = _read(token, at)
    chat = Chat.objects.select_related("conversation").filter(public_id=said.public_id, widget=widget).first()
    if chat is None:
        raise BadLink("this conversation is not here any more")
    session = secrets.token_urlsafe(32)
    visit = Visit.objects.create(
        widget=widget,
        digest=sessions.digest(session),
        customer_id=chat.conversation.customer_id,
        only_chat=chat,
        language=language[:10],
        timezone=timezone[:60],
        created_at=at,
        seen_at=at,
        expires_at=at + LASTS,
    )
    return visit, session


def _read(token: str, at: datetime) -> _Said:
    if len(token) > LONGEST:
        raise BadLink("this is none of our links")
    try:
        said = signing.Signer(salt=SALT).unsign_object(token)
        found = _Said(UUID(said["c"]), datetime.fromtimestamp(said["u"], UTC))
    except (signing.BadSignature, ValueError, KeyError, TypeError, OverflowError) as error:
        raise BadLink("this is none of our links") from error
    if found.until <= at:
        raise BadLink("this link was good for 30 days, which are over")
    return found
