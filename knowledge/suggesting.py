"""Articles that may answer what somebody is writing: to customers before they send it, to agents beside it.

What came of a suggestion is counted honestly: it has answered where the person said so, and where they did not write a
ticket all the same. Who merely left is not counted as helped.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Q

from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer
from knowledge import addresses, reading, searching
from knowledge.models import Article, Suggested, Visibility
from knowledge.telling import telling

MOST: Final = 5
# Of what was written, the beginning says what it is about.
READ_CHARACTERS: Final = 300
KEPT: Final = timedelta(days=400)
# Digits of the name that a page gives to one writing of one person; it says nothing about either.
_ASKING: Final = 32


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An article that may be the answer."""

    id: int
    title: str
    summary: str
    url: str
    language: str
    visibility: str

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "summary": self.summary,
            "url": self.url,
            "language": self.language,
        }


@dataclass(frozen=True, slots=True)
class Deflected:
    """What became of an article's suggestions: `answered` said so and wrote nothing; `written` wrote all the same."""

    article_id: int
    title: str
    suggested: int
    opened: int
    answered: int
    written: int


def to_customer(text: str, language: str, customer: Customer | None, *, most: int = MOST) -> list[Suggestion]:
    """What this customer may read about what they type; None is anybody. One statement."""
    found = searching.for_reader(telling(text[:READ_CHARACTERS]), language, customer, most=most, excerpts=True)
    return [_suggestion(hit, language) for hit in found.hits]


def to_agent(conversation: Conversation, language: str = "", *, most: int = MOST) -> list[Suggestion]:
    """The best matches for a conversation, internal ones included, drafts left out. Whoever calls has made sure that
    the agent may see the conversation.
    """
    first = Message.objects.filter(conversation=conversation, kind=Message.Kind.INBOUND).order_by("pk").first()
    said = telling(first.text[:READ_CHARACTERS] if first else "", conversation.subject[:READ_CHARACTERS])
    asked_in = language or conversation.customer.language or "en"
    found = searching.for_agent(said, asked_in, most=most * 2, excerpts=True)
    hits = [hit for hit in found.hits if hit.visibility != Visibility.DRAFT]
    return [_suggestion(hit, asked_in) for hit in hits[:most]]


def note_suggested(asking: str, article_ids: Collection[int], where: str, *, at: datetime) -> None:
    """These were shown to somebody who writes. Raises ValueError for a place or a name that is none."""
    if where not in Suggested.Where.values or not _is_asking(asking):
        raise ValueError("there is no such place, or no such writing")
    known = Article.objects.filter(pk__in=list(article_ids)[:MOST], visibility=Visibility.PUBLIC)
    Suggested.objects.bulk_create(
        (Suggested(asking=asking, article=row, where=where, suggested_at=at) for row in known),
        ignore_conflicts=True,
    )


def note_opened(asking: str, article_id: int, *, at: datetime) -> bool:
    """They looked at it; False where it was not suggested to them, or they had before."""
    rows = Suggested.objects.filter(asking=asking, article=article_id, opened_at=None)
    return rows.update(opened_at=at) > 0


def note_answered(asking: str, article_id: int, *, at: datetime) -> bool:
    """They said that it answers their question."""
    rows = Suggested.objects.filter(asking=asking, article=article_id, answered_at=None)
    return rows.update(answered_at=at, opened_at=F("opened_at") if rows.exclude(opened_at=None).exists() else at) > 0


def note_written(asking: str, conversation: Conversation) -> int:
    """They wrote the ticket all the same: nothing of this was deflected. How many suggestions that concerns."""
    if not _is_asking(asking):
        return 0
    return Suggested.objects.filter(asking=asking, conversation=None).update(conversation=conversation)


def deflected(since: datetime, *, language: str = "en", most: int = 200) -> list[Deflected]:
    """What articles have spared since then, the most first."""
    answered = Q(answered_at__isnull=False, conversation=None)
    rows = list(
        Suggested.objects.filter(suggested_at__gte=since)
        .values("article")
        .annotate(
            suggested=Count("pk"),
            opened=Count("pk", filter=Q(opened_at__isnull=False)),
            answered=Count("pk", filter=answered),
            written=Count("pk", filter=Q(conversation__isnull=False)),
        )
        .order_by("-answered", "-opened", "article")[:most]
    )
    articles = list(Article.objects.filter(pk__in=[row["article"] for row in rows]))
    titles = {one.id: one.title for one in reading.listed(articles, language)}
    return [
        Deflected(
            row["article"],
            titles.get(row["article"], ""),
            row["suggested"],
            row["opened"],
            row["answered"],
            row["written"],
        )
        for row in rows
    ]


def forget(*, at: datetime) -> int:
    """Remove what is long ago; how many rows."""
    return Suggested.objects.filter(suggested_at__lt=at - KEPT).delete()[0]


def _is_asking(asking: str) -> bool:
    return len(asking) == _ASKING and set(asking) <= set("0123456789abcdef")


def _suggestion(hit: searching.Hit, language: str) -> Suggestion:
    excerpt = hit.excerpt.replace(searching.BEGIN_MARK, "").replace(searching.END_MARK, "")
    return Suggestion(
        hit.article_id,
        hit.title,
        hit.summary or reading.shortened(excerpt),
        addresses.absolute(f"{addresses.top(language)}{hit.slug}/"),
        hit.language,
        hit.visibility,
    )


def as_json(found: Sequence[Suggestion]) -> dict[str, Any]:
    """What the form and the widget are answered."""
    return {"results": [one.as_json() for one in found]}
