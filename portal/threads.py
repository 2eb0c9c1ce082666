"""A customer's conversations as lists, and what was said in one of them. All of it asks `portal.permissions`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Left, Length

from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers.models import Customer
from helpdesk.numbers import is_number
from portal import permissions, wording

PAGE: Final = 25
MESSAGES: Final = 50
SHOWN: Final = 12_000
LONGEST_QUERY: Final = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the list is asked for. `whose` is "mine", "company" or "" for both; `after` the last row of the part
    before.
    """

    state: str = ""
    whose: str = ""
    query: str = ""
    after: tuple[datetime, int] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of the list, newest first; `after` begins the next part, "" at the end."""

    rows: Sequence[Conversation]
    after: str


def listed(customer: Customer, wanted: Wanted, *, at: datetime) -> Part:
    """One part of the customer's list. One statement for their own, one more for a manager's company."""
    conditions = [permissions.own(customer)] if wanted.whose != "company" else []
    colleagues = permissions.of_colleagues(customer)
    if colleagues is not None and wanted.whose != "mine":
        conditions.append(colleagues)
    found: dict[int, Conversation] = {}
    for condition in conditions:
        # Each walks an index of its own; together they would be sorted as a whole.
        found |= {row.pk: row for row in _rows(condition, wanted, at)[: PAGE + 1]}
    rows = sorted(found.values(), key=lambda row: (row.updated_at, row.pk), reverse=True)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return Part(rows[:PAGE], f"{last.updated_at.isoformat()}/{last.pk}" if last else "")


def _rows(condition: Q, wanted: Wanted, at: datetime) -> QuerySet[Conversation]:
    rows = Conversation.objects.filter(condition).select_related("customer")
    if wanted.state in wording.STATES:
        rows = rows.filter(status__in=wording.STATES[wanted.state])
    if wanted.query:
        rows = rows.filter(_matching(wanted.query, at))
    if wanted.after is not None:
        moment, pk = wanted.after
        rows = rows.filter(Q(updated_at__lt=moment) | Q(updated_at=moment, pk__lt=pk))
    said = Message.objects.filter(conversation=OuterRef("pk"), is_automatic=False).filter(permissions.readable(at))
    said = said.order_by("-pk")
    newest = {
        "says": Subquery(said.annotate(short=Left("text", 160)).values("short")[:1]),
        "said_at": Subquery(said.values("at")[:1]),
    }
    return rows.annotate(**newest).order_by("-updated_at", "-pk")


def _matching(query: str, at: datetime) -> Q:
    number = query.removeprefix("#")
    if is_number(number):
        return Q(pk=int(number)) | Q(subject__icontains=query)
    words = SearchQuery(query, config="simple", search_type="websearch")
    said = Message.objects.filter(permissions.readable(at), conversation=OuterRef("pk"), search=words)
    return Q(search=words) | Q(Exists(said)) | Q(subject__icontains=query)


def read_after(text: str) -> tuple[datetime, int] | None:
    """The cursor of a part; None for what is none."""
    moment, _slash, pk = text[:60].replace(" ", "+").partition("/")
    try:
        parsed = datetime.fromisoformat(moment)
        return (parsed, int(pk)) if parsed.tzinfo is not None and len(pk) < 19 else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Thread:
    """The newest messages, oldest first; `before` leads to the older ones, 0 where there are none; `last` is the id of
    the newest.
    """

    messages: Sequence[Any]
    before: int
    last: int


def read(conversation: Conversation, *, at: datetime, before: int = 0, after: int = 0) -> Thread:
    """What was said; of those older than message `before`, or newer than message `after`. Two statements."""
    rows = Message.objects.filter(permissions.readable(at), conversation=conversation)
    if before:
        rows = rows.filter(pk__lt=before)
    if after:
        rows = rows.filter(pk__gt=after)
    files = Prefetch("attachments", Attachment.objects.filter(inline=False), to_attr="files")
    rows = (
        rows.select_related("agent", "customer")
        .defer("text", "full_text", "html", "error", "search")
        .annotate(
            shown=Left("text", SHOWN),
            size=Length("text"),
            full_size=Length("full_text"),
            html_size=Length("html"),
            author=F("customer__name"),
        )
        .prefetch_related(files)
        .order_by("-pk")
    )
    found = list(rows[: MESSAGES + 1])
    older, found = len(found) > MESSAGES, found[:MESSAGES][::-1]
    return Thread(found, found[0].pk if older else 0, found[-1].pk if found else after)
