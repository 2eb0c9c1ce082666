"""What became of quotes, as a table of the reports: those sent in the period, a row a currency."""

from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext as _

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Organization, User
from helpdesk.customers.visibility import condition
from helpdesk.desk.tables import Column, Selection, Table, narrowed
from quotes import money
from quotes.models import Quote
from quotes.sending import SUPERSEDED

KEYS: Final = ("quotes",)
# Of the versions of a quote the last one counts.
_SQL: Final = f"""
SELECT quote.currency, count(*), sum(quote.total),
    count(*) FILTER (WHERE quote.state = 'accepted'),
    coalesce(sum(quote.total) FILTER (WHERE quote.state = 'accepted'), 0),
    count(*) FILTER (WHERE quote.answer = 'decline'), count(*) FILTER (WHERE quote.answer = 'upgrade'),
    count(*) FILTER (WHERE quote.state = 'expired'), count(*) FILTER (WHERE quote.state = 'sent'),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM quote.ended_at - quote.sent_at)::int)
        FILTER (WHERE quote.answer <> '')
FROM {Quote._meta.db_table} AS quote JOIN {Conversation._meta.db_table} AS c ON c.id = quote.conversation_id
LEFT JOIN {Organization._meta.db_table} AS organization ON organization.id = quote.organization_id
WHERE quote.sent_at >= %(from)s AND quote.sent_at < %(until)s
    AND NOT (quote.state = 'withdrawn' AND quote.reason = '{SUPERSEDED}') AND {{where}}
GROUP BY quote.currency ORDER BY count(*) DESC, quote.currency
"""
_FILTERS: Final = {
    "team": "c.team_id",
    "agent": "quote.author_id",
    "channel": "c.channel",
    "priority": "c.priority",
    "organization": "quote.organization_id",
    "plan": "organization.plan_id",
}


def tables(selection: Selection, user: User) -> list[Table]:
    """Of what this agent may see. One statement."""
    found, given = narrowed(selection, _FILTERS)
    where = " AND ".join([condition(user, "c.team_id"), *found])
    with connection.cursor() as cursor:
        cursor.execute(_SQL.format(where=where), {**given, "user": user.pk or 0})
        rows = [_row(*row) for row in cursor.fetchall()]
    columns = [
        Column("currency", _("Currency"), "text"),
        Column("sent", _("Sent")),
        Column("sent_sum", _("Sum offered"), "text"),
        Column("accepted", _("Accepted")),
        Column("accepted_sum", _("Sum accepted"), "text"),
        Column("rate", _("Accepted of those that ended"), "share"),
        Column("declined", _("Declined")),
        Column("upgrades", _("Plan instead")),
        Column("expired", _("Expired")),
        Column("open", _("Not answered yet")),
        Column("answer_median", _("Time to answer, median"), "seconds"),
    ]
    return [Table("quotes", _("Quotes"), columns, rows)]


def _row(
    currency: str, sent: int, offered: Any, yes: int, accepted: Any, no: int, upgrades: int, over: int, waits: int,
    median: int | None,
) -> list[Any]:  # fmt: skip
    ended = yes + no + upgrades + over
    return [
        currency, sent, _plain(offered, currency), yes, _plain(accepted, currency), yes / ended if ended else None, no,
        upgrades, over, waits, median,
    ]  # fmt: skip


def _plain(amount: Any, currency: str) -> str:
    """For people and spreadsheets alike: the digits alone."""
    return f"{money.rounded(amount, currency):f}"
