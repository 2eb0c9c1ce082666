"""This article needs work: said by agents, and by readers whom it did not help."""

from datetime import datetime
from typing import Final

from django.db import transaction

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer, User
from helpdesk.events.safe_text import storable
from helpdesk.limits import Limit, take
from knowledge.models import Article, Remark
from knowledge.voting import TooMany

LONGEST_TEXT: Final = 2_000
REMARKS_OF_NETWORK: Final = Limit(5, 10 / 3600)
# More is said of one article than anybody reads before it is worked on.
MOST_OPEN: Final = 100


@transaction.atomic
def remark(
    article: Article,
    text: str,
    *,
    at: datetime,
    language: str = "",
    agent: User | None = None,
    customer: Customer | None = None,
    conversation: Conversation | None = None,
) -> Remark:
    """Say that it needs work, and why. Raises TooMany where enough is said already."""
    row = Article.objects.select_for_update().get(pk=article.pk)
    if row.needs_work >= MOST_OPEN:
        raise TooMany
    made = Remark.objects.create(
        article=row,
        language=language,
        text=storable(text.strip(), LONGEST_TEXT),
        agent=agent,
        customer=customer,
        conversation=conversation,
        at=at,
    )
    _count(row)
    return made


def of_reader(
    article: Article, text: str, *, language: str, customer: Customer | None, network: str, at: datetime
) -> Remark:
    """What a reader missed. Raises TooMany."""
    if take(REMARKS_OF_NETWORK, f"remark:{network}"):
        raise TooMany
    return remark(article, text, at=at, language=language, customer=customer)


@transaction.atomic
def settle(one: Remark, by: User, *, at: datetime) -> None:
    """It has been worked on, or needs no work. Nothing happens the second time."""
    row = Article.objects.select_for_update().get(pk=one.article_id)
    Remark.objects.filter(pk=one.pk, settled_at=None).update(settled_by=by, settled_at=at)
    _count(row)


def _count(article: Article) -> None:
    left = Remark.objects.filter(article=article, settled_at=None).count()
    Article.objects.filter(pk=article.pk).update(needs_work=left)
