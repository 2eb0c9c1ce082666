"""A conversation with a quote in it, for tests."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from quotes import drafting, sending
from quotes.drafting import Content, LineGiven
from quotes.models import Quote
from quotes.money import Line

VALID = date(2026, 2, 12)


def content(**given: Any) -> Content:
    lines = [
        LineGiven("Move the shop to the new server", Line(Decimal("1.5"), Decimal("99.90"), Decimal(19))),
        LineGiven("Old customers' discount", Line(Decimal(1), Decimal(-10), Decimal(19))),
    ]
    return Content(**{"title": "Move the shop", "lines": lines, "currency": "EUR", "valid_until": VALID, **given})


def drafted(conversation: Conversation, user: User, at: datetime, **given: Any) -> Quote:
    return drafting.draft(conversation.pk, content(**given), user, at=at)


def sent(conversation: Conversation, user: User, at: datetime, **given: Any) -> Quote:
    return sending.send(drafted(conversation, user, at, **given).pk, user, at=at)
