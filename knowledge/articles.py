"""Writing articles: every save is a version, a new title is a new address that the old one leads to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from helpdesk.customers.models import Organization, Plan, User
from helpdesk.events.safe_text import one_line, storable
from knowledge import bodies, changes, files, wording
from knowledge.models import Article, Category, Redirect, Translation, Version, Visibility
from knowledge.models.articles import LONGEST_TITLE
from knowledge.refusals import Overtaken, Refused

LONGEST_SUMMARY: Final = 300
CHANGEABLE: Final = frozenset({"category", "visibility", "position", "takes_comments"})


@dataclass(frozen=True, slots=True)
class Text:
    """What stands in an article in one language. `body` is Markdown; an empty `slug` is made of the title."""

    title: str
    body: str
    language: str = settings.LANGUAGE_CODE
    summary: str = ""
    keywords: str = ""
    slug: str = ""


@transaction.atomic
def create(
    text: Text,
    *,
    visibility: str = Visibility.DRAFT,
    category: Category | None = None,
    organizations: Collection[Organization] = (),
    plans: Collection[Plan] = (),
    author: User | None,
    at: datetime,
) -> Article:
    """A new article in its first language. Raises Refused."""
    article = Article.objects.create(
        category=category,
        visibility=Visibility.DRAFT,
        author=author,
        created_at=at,
        updated_at=at,
    )
    write(article, text, author=author, at=at)
    return change(article, {"visibility": visibility}, organizations=organizations, plans=plans, at=at)


@transaction.atomic
def write(
    article: Article,
    text: Text,
    *,
    author: User | None,
    at: datetime,
    base: int | None = None,
    restored_from: int | None = None,
) -> Translation:
    """Save the text in its language; nothing happens where it is the same. `base` is the number of the version that was
    edited. Raises Overtaken where that is no longer the newest, Refused.
    """
    text, body = _checked(text, article)
    changes.changed(at)
    row = Translation.objects.select_for_update().filter(article=article, language=text.language).first()
    if row is None:
        row = Translation(article=article, language=text.language, version=0, created_at=at)
    elif base is not None and base != row.version:
        raise Overtaken(row.version)
    is_renamed = bool(row.pk) and text.title != row.title
    same = (row.title, row.body, row.summary, row.keywords) == (text.title, text.body, text.summary, text.keywords)
    if row.pk and same and text.slug in ("", row.slug):
        return row
    before = row.slug
    if text.slug or is_renamed or not row.slug:
        row.slug = _free_slug(text, row)
    row.title, row.summary, row.keywords, row.body = text.title, text.summary, text.keywords, text.body
    row.html, row.plain = body.html, body.plain
    row.version, row.author, row.updated_at = row.version + 1, author, at
    row.save()
    _lead_on(row, before, at)
    _remember(row, author, restored_from, at)
    Article.objects.filter(pk=article.pk).update(updated_at=at)
    _settle(article.pk)
    row.refresh_from_db(fields=["is_open"])
    return row


@transaction.atomic
def change(
    article: Article,
    given: Mapping[str, Any],
    *,
    organizations: Collection[Organization] | None = None,
    plans: Collection[Plan] | None = None,
    at: datetime,
) -> Article:
    """Change what its translations have in common: CHANGEABLE, and whom it is limited to. Raises Refused."""
    changes.changed(at)
    row = Article.objects.select_for_update().get(pk=article.pk)
    if unknown := given.keys() - CHANGEABLE:
        raise Refused(f"{', '.join(sorted(unknown))} cannot be changed")
    for name, value in given.items():
        setattr(row, name, value)
    if row.visibility not in Visibility.values:
        raise Refused("There is no such visibility.")
    if row.visibility == Visibility.PUBLIC and row.published_at is None:
        row.published_at = at
    if organizations is not None:
        row.organizations.set(organizations)
    if plans is not None:
        row.plans.set(plans)
    if organizations is not None or plans is not None:
        # Only on purpose: an article is not everybody's because the plan it was limited to is gone.
        row.is_limited = row.organizations.exists() or row.plans.exists()
    row.updated_at = at
    row.save()
    _settle(row.pk)
    return row


@transaction.atomic
def restore(translation: Translation, number: int, *, author: User | None, at: datetime) -> Translation:
    """An older version is the newest again. Raises Version.DoesNotExist."""
    old = translation.versions.get(number=number)
    text = Text(old.title, old.body, translation.language, old.summary, old.keywords)
    return write(translation.article, text, author=author, at=at, restored_from=number)


@transaction.atomic
def remove(article: Article, *, at: datetime) -> None:
    """For good, with everything said about it. Raises ProtectedError where a guide ends in it."""
    changes.changed(at)
    article.delete()


@transaction.atomic
def remove_translation(translation: Translation, *, at: datetime) -> None:
    """One language goes, with its versions. Raises Refused for the last one: then the article should go."""
    changes.changed(at)
    if not Translation.objects.filter(article=translation.article_id).exclude(pk=translation.pk).exists():
        raise Refused("An article has at least one language.")
    translation.delete()


def _checked(text: Text, article: Article) -> tuple[Text, bodies.Body]:
    title = one_line(text.title, LONGEST_TITLE)
    if not title:
        raise Refused("An article needs a title.")
    if text.language not in dict(settings.LANGUAGES):
        raise Refused("There is no such language.")
    try:
        raw = storable(text.body, bodies.MOST_CHARACTERS + 1).replace("\r\n", "\n")
        body = bodies.render(raw, files.sizes(article), language=text.language)
    except ValueError as error:
        raise Refused(f"An article has at most {bodies.MOST_CHARACTERS} characters.") from error
    summary, keywords = one_line(text.summary, LONGEST_SUMMARY), one_line(text.keywords, LONGEST_SUMMARY)
    return Text(title, raw, text.language, summary, keywords, text.slug.strip()), body


def _free_slug(text: Text, row: Translation) -> str:
    """An address that no other article has in any language, since it leads to this one in languages that are missing;
    one that only leads on to another article is taken over.
    """
    wanted = wording.slug_of(text.slug or text.title, "article")
    taken = set(
        Translation.objects.filter(slug__startswith=wanted)
        .exclude(article=row.article_id)
        .values_list("slug", flat=True)
    )
    slug, number = wanted, 2
    while slug in taken:
        slug, number = f"{wanted}-{number}", number + 1
    return slug


def _lead_on(row: Translation, before: str, at: datetime) -> None:
    Redirect.objects.filter(language=row.language, slug=row.slug).delete()
    if before and before != row.slug:
        Redirect.objects.create(language=row.language, slug=before, translation=row, created_at=at)


def _remember(row: Translation, author: User | None, restored_from: int | None, at: datetime) -> None:
    Version.objects.create(
        translation=row,
        number=row.version,
        title=row.title,
        summary=row.summary,
        keywords=row.keywords,
        body=row.body,
        author=author,
        restored_from=restored_from,
        saved_at=at,
    )


def _settle(article_id: int) -> None:
    """Whether anybody may read it stands in each translation as well, where the search looks."""
    is_open = Article.objects.filter(pk=article_id, visibility=Visibility.PUBLIC, is_limited=False).exists()
    Translation.objects.filter(article=article_id).exclude(is_open=is_open).update(is_open=is_open)
