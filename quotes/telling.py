"""What events say of a quote; billing systems read it from their webhook, so it holds all of it."""

from datetime import datetime
from typing import Any, Final

from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM, Actor
from quotes import money
from quotes.drafting import line_of
from quotes.models import Quote

SENT: Final = "quote.sent"
ACCEPTED: Final = "quote.accepted"
DECLINED: Final = "quote.declined"
UPGRADE: Final = "quote.upgrade_chosen"
EXPIRED: Final = "quote.expired"
WITHDRAWN: Final = "quote.withdrawn"
REMINDED: Final = "quote.reminded"


def tell(kind: str, quote: Quote, *, at: datetime, actor: Actor = SYSTEM) -> None:
    """Record what happened, with the quote as it then is: amounts as decimals in texts."""
    record(Fact(kind, quote.conversation_id, actor, data=described(quote)), at=at)


def described(quote: Quote) -> dict[str, Any]:
    """The data of every event of a quote."""
    lines = list(quote.lines.all())
    return {
        "quote": quote.pk,
        "number": quote.number,
        "version": quote.version,
        "state": quote.state,
        "title": quote.title,
        "customer": quote.customer_id,
        "organization": quote.organization_id,
        "currency": quote.currency,
        "net": _amount(quote, quote.net),
        "tax": _amount(quote, quote.tax),
        "total": _amount(quote, quote.total),
        "valid_until": quote.valid_until.isoformat(),
        "deliver_by": quote.deliver_by.isoformat() if quote.deliver_by else None,
        "answer": quote.answer,
        "answered_name": quote.answered_name,
        "reason": quote.reason,
        "upgrade_plan": quote.upgrade_name,
        "lines": [
            {
                "text": one.text,
                "quantity": money.plain(one.quantity),
                "unit_price": _amount(quote, one.unit_price),
                "tax_rate": money.plain(one.tax_rate),
                "net": _amount(quote, money.of_line(line_of(one), quote.currency).net),
            }
            for one in lines
        ],
    }


def _amount(quote: Quote, amount: Any) -> str:
    return f"{money.rounded(amount, quote.currency):f}"
