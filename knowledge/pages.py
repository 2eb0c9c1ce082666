"""What is at each public address, for one reader: made of the database, as text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.utils import translation
from django.utils.module_loading import import_string
from django.utils.timezone import now

from helpdesk.conversations import incidents
from helpdesk.customers.models import Customer
from knowledge import addresses, bodies, categories, feeds, guides, reading, sitemap
from knowledge.asked import Asked
from knowledge.models import Article, Category
from knowledge.rendering import render
from knowledge.visibility import readable_articles

SHOWN_SECONDS: Final = 60.0
# Incidents, and where else people reach us, do not wait for a change of ours.
TROUBLE_SECONDS: Final = 5.0
HTML: Final = "text/html; charset=utf-8"
MOST_GUIDES: Final = 12
# What a comment's form is filled with where nothing was sent, and what is wrong with it then.
NOTHING: Final = dict.fromkeys(("name", "email", "text", "token", "form"), "")
# Beside whom the shared links lead to: a plain address, no script and nobody who counts along.
SHARES: Final = (
    ("Mastodon", "https://mastodonshare.com/?url={url}&text={title}"),
    ("Bluesky", "https://bsky.app/intent/compose?text={title}%20{url}"),
    ("X", "https://x.com/intent/post?url={url}&text={title}"),
    ("Facebook", "https://www.facebook.com/sharer/sharer.php?u={url}"),
)


@dataclass(frozen=True, slots=True)
class Made:
    """What is to be answered. `article_id` is the article that was read, 0 where it was none; `seconds` is how long it
    may be shown before it is made anew, though nothing has changed.
    """

    content_type: str
    body: bytes
    article_id: int = 0
    seconds: float = SHOWN_SECONDS


@dataclass(frozen=True, slots=True)
class Moved:
    """It lies elsewhere: for good, or for this reader."""

    to: str
    is_permanent: bool


def make(asked: Asked, language: str, customer: Customer | None) -> Made | Moved | None:
    """What this reader finds there; None where there is nothing for them. Customer None is anybody."""
    with translation.override(language):
        return _MAKERS[asked.kind](asked, language, customer)


def _page(name: str, language: str, *, article_id: int = 0, seconds: float = SHOWN_SECONDS, **context: Any) -> Made:
    return Made(HTML, render(name, language, **context).encode(), article_id, seconds)


def _home(_asked: Asked, language: str, customer: Customer | None) -> Made:
    return _page(
        "home.jinja",
        language,
        seconds=TROUBLE_SECONDS,
        path="/{}/",
        canonical=addresses.home(language),
        branches=[branch for branch in categories.tree(reading.counts(customer)) if branch.count],
        useful=reading.most_useful(customer, language),
        guides=guides.readable(language)[:MOST_GUIDES],
        troubles=incidents.of_form(""),
        places=import_string(settings.PLACES)(at=now()),
        customer=customer,
    )


def _top(_asked: Asked, language: str, customer: Customer | None) -> Made:
    return _page(
        "top.jinja",
        language,
        path="/kb/{}/",
        canonical=addresses.top(language),
        branches=[branch for branch in categories.tree(reading.counts(customer)) if branch.count],
        without=_without_category(customer, language),
        newest=reading.newest(customer, language, reading.MOST_USEFUL),
        guides=guides.readable(language)[:MOST_GUIDES],
        customer=customer,
    )


def _without_category(customer: Customer | None, language: str) -> list[reading.Listed]:
    rows = readable_articles(customer).filter(category=None).order_by("position", "pk")
    return reading.listed(rows[: reading.A_PAGE], language)


def _category(asked: Asked, language: str, customer: Customer | None) -> Made | None:
    category = Category.objects.select_related("parent").filter(slug=asked.slug).first()
    if category is None or asked.number == 1:
        return None
    page = asked.number or 1
    articles, pages = reading.of_category(category, customer, language, page)
    below = _find(categories.tree(reading.counts(customer)), category.pk)
    if page > pages or below is None or not below.count:
        return None
    suffix = f"{page}/" if page > 1 else ""
    return _page(
        "category.jinja",
        language,
        path=f"/kb/{{}}/c/{category.slug}/{suffix}",
        canonical=addresses.category(category, language) + suffix,
        category=category,
        above=categories.path_to(category)[:-1],
        branches=[branch for branch in below.children if branch.count],
        articles=articles,
        page=page,
        pages=pages,
        customer=customer,
    )


def _find(branches: list[categories.Branch], pk: int) -> categories.Branch | None:
    for branch in branches:
        found = branch if branch.category.pk == pk else _find(branch.children, pk)
        if found is not None:
            return found
    return None


def _article(asked: Asked, language: str, customer: Customer | None) -> Made | Moved | None:
    found = reading.find(language, asked.slug, customer)
    if found is None or isinstance(found, str):
        return Moved(found, is_permanent=True) if found else None
    return article_page(found, language, customer)


def article_page(found: reading.Whole, language: str, customer: Customer | None, **more: Any) -> Made:
    """The page of an article; `more` is said beside it (a vote that was counted, what is wrong with a comment)."""
    article: Article = found.article
    return _page(
        "article.jinja",
        language,
        article_id=article.pk,
        path="",
        canonical=addresses.article(found.shown),
        whole=found,
        article=article,
        shown=found.shown,
        above=categories.path_to(article.category) if article.category else [],
        contents=bodies.contents(found.shown.html),
        files=[one for one in article.files.all() if addresses.file(one) not in found.shown.html],
        shares=SHARES,
        customer=customer,
        **{"voted": None, "said": None, "wrong": NOTHING, "given": NOTHING, "remark_token": "", **more},
    )


def _permanent(asked: Asked, language: str, customer: Customer | None) -> Moved | None:
    to = reading.permanent(asked.number, language, customer)
    return Moved(to, is_permanent=False) if to else None


def _guides(_asked: Asked, language: str, customer: Customer | None) -> Made | None:
    found = guides.readable(language)
    if not found:
        return None
    path = "/kb/{}/guides/"
    return _page("guides.jinja", language, guides=found, customer=customer, canonical=path.format(language), path=path)


def _guide(asked: Asked, language: str, customer: Customer | None) -> Made | None:
    found = guides.walk(asked.slug, asked.number, language, customer)
    if found is None:
        return None
    path = f"/kb/{{}}/guides/{asked.slug}/" + (f"{asked.number}/" if asked.number else "")
    return _page("guide.jinja", language, path=path, canonical=path.format(language), walk=found, customer=customer)


def _feed(asked: Asked, language: str, _customer: Customer | None) -> Made:
    return Made(f"application/{asked.kind}+xml; charset=utf-8", feeds.feed(language, asked.kind))


def _sitemap(_asked: Asked, _language: str, _customer: Customer | None) -> Made:
    return Made("application/xml; charset=utf-8", sitemap.index())


def _sitemap_part(asked: Asked, _language: str, _customer: Customer | None) -> Made | None:
    body = sitemap.part(asked.number)
    return Made("application/xml; charset=utf-8", body) if body else None


def _robots(_asked: Asked, _language: str, _customer: Customer | None) -> Made:
    lines = ("User-agent: *", "Disallow: /desk/", "Disallow: /api/", f"Sitemap: {settings.PUBLIC_URL}/sitemap.xml", "")
    return Made("text/plain; charset=utf-8", "\n".join(lines).encode())


_MAKERS: Final[dict[str, Callable[[Asked, str, Customer | None], Made | Moved | None]]] = {
    "home": _home,
    "top": _top,
    "category": _category,
    "article": _article,
    "permanent": _permanent,
    "guides": _guides,
    "guide": _guide,
    "atom": _feed,
    "rss": _feed,
    "sitemap": _sitemap,
    "sitemap_part": _sitemap_part,
    "robots": _robots,
}
