"""What readers see of articles: lists and single ones, as far as the reader may see them, in the reader's language or
the one there is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import Case, Count, IntegerField, QuerySet, When

from helpdesk.customers.models import Customer
from knowledge import addresses
from knowledge.models import Article, Category, Comment, Redirect, Translation
from knowledge.searching import words_of
from knowledge.visibility import readable_articles

A_PAGE: Final = 50
MOST_USEFUL: Final = 6
RELATED: Final = 5
MOST_COMMENTS: Final = 200
# What a list shows; texts are long.
_LISTED: Final = ("article_id", "language", "title", "slug", "summary", "plain", "updated_at")
_SUMMARY: Final = 180


@dataclass(frozen=True, slots=True)
class Listed:
    """An article in a list. `language` is the one it is in, which is not always the one that was asked for."""

    id: int
    title: str
    url: str
    language: str
    summary: str
    updated_at: datetime
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Whole:
    """An article on its own page: the translation that is shown, and whether it is the one that was asked for."""

    article: Article
    shown: Translation
    is_translated: bool
    others: list[Translation]
    comments: list[Comment]
    related: list[Listed]


def listed(articles: Iterable[Article], language: str) -> list[Listed]:
    """In the order given, in one statement."""
    rows = list(articles)
    best = _best_translations([article.pk for article in rows], language)
    return [
        Listed(
            article.pk,
            row.title,
            # In the reader's language: the page says that it is not translated, and stays where they are at home.
            f"{addresses.top(language)}{row.slug}/",
            row.language,
            row.summary or shortened(row.plain),
            row.updated_at,
            article.published_at,
        )
        for article in rows
        if (row := best.get(article.pk)) is not None
    ]


def shortened(text: str, most: int = _SUMMARY) -> str:
    """The beginning, to a word's end."""
    flat = " ".join(text[: most * 3].split())
    return flat if len(flat) <= most else flat[:most].rsplit(" ", 1)[0].rstrip(",.;:") + " …"


def counts(customer: Customer | None) -> dict[int, int]:
    """How many articles this reader finds in each category itself."""
    rows = readable_articles(customer).exclude(category=None).order_by().values_list("category").annotate(Count("pk"))
    return dict(rows)


def most_useful(customer: Customer | None, language: str, most: int = MOST_USEFUL) -> list[Listed]:
    """What helped most."""
    rows = readable_articles(customer).order_by("-helpful", "pk")[:most]
    return listed(rows, language)


def newest(customer: Customer | None, language: str, most: int) -> list[Listed]:
    """What was written or changed last, of what there is in this language."""
    rows = readable_articles(customer).filter(translations__language=language)
    return listed(rows.order_by("-updated_at", "-pk")[:most], language)


def of_category(category: Category, customer: Customer | None, language: str, page: int) -> tuple[list[Listed], int]:
    """A page of its articles (the first is 1), and how many pages there are."""
    rows = readable_articles(customer).filter(category=category)
    pages = max(1, -(-rows.count() // A_PAGE))
    start = (page - 1) * A_PAGE
    return listed(rows.order_by("position", "pk")[start : start + A_PAGE], language), pages


def find(language: str, slug: str, customer: Customer | None) -> Whole | str | None:
    """The article at this address; where it has moved to; or None where this reader finds nothing."""
    row = Translation.objects.filter(language=language, slug=slug).first()
    if row is None:
        moved = Redirect.objects.filter(language=language, slug=slug).select_related("translation").first()
        if moved is not None:
            return addresses.article(moved.translation) if _may_read(moved.translation, customer) else None
        # An address made of another language's words, as in a list where it is not translated.
        row = _elsewhere(slug)
    if row is None or not _may_read(row, customer):
        return None
    own = row if row.language == language else row.article.translations.filter(language=language).first()
    if own is not None and own.pk != row.pk:
        return addresses.article(own)
    return _whole(row, language, customer)


def permanent(article_id: int, language: str, customer: Customer | None) -> str | None:
    """Where the article lies now, in this language or the one there is; None where this reader finds nothing."""
    if not readable_articles(customer).filter(pk=article_id).exists():
        return None
    best = _best_translations([article_id], language).get(article_id)
    return addresses.article(best) if best else None


def related(article: Article, row: Translation, customer: Customer | None, language: str) -> list[Listed]:
    """Others of its category that are about the same words, else its neighbours there."""
    others = readable_articles(customer).filter(category=article.category_id).exclude(pk=article.pk)
    if article.category_id is None:
        return []
    near = list(others.order_by("position", "pk")[:A_PAGE])
    wanted = set(words_of(f"{row.title} {row.keywords}"))
    found = listed(near, language)
    found.sort(key=lambda one: -len(wanted & set(words_of(one.title))))
    return found[:RELATED]


def _whole(row: Translation, language: str, customer: Customer | None) -> Whole:
    article = Article.objects.select_related("author", "category").get(pk=row.article_id)
    comments = article.comments.filter(state=Comment.State.SHOWN).order_by("pk")[:MOST_COMMENTS]
    return Whole(
        article,
        row,
        row.language == language,
        list(article.translations.order_by("language").only("language", "slug", "article")),
        list(comments),
        related(article, row, customer, language),
    )


def _elsewhere(slug: str) -> Translation | None:
    rows = Translation.objects.filter(slug=slug).order_by(_preferred(settings.LANGUAGE_CODE), "pk")
    return rows.first()


def _may_read(row: Translation, customer: Customer | None) -> bool:
    return readable_articles(customer).filter(pk=row.article_id).exists()


def _best_translations(article_ids: Iterable[int], language: str) -> dict[int, Translation]:
    rows: QuerySet[Translation] = Translation.objects.filter(article__in=list(article_ids)).only(*_LISTED)
    best = rows.order_by("article_id", _preferred(language), "pk").distinct("article_id")
    return {row.article_id: row for row in best}


def _preferred(language: str) -> Case:
    order = [When(language=language, then=0), When(language=settings.LANGUAGE_CODE, then=1)]
    return Case(*order, default=2, output_field=IntegerField())
