"""Where things of the knowledge base lie. Paths; `absolute` makes addresses of them for mails, feeds and the API."""

from typing import Final
from urllib.parse import quote

from django.conf import settings

from knowledge.models import ArticleFile, Category, Guide, Step, Translation

# What lies beyond this room.
FORM: Final = "/tickets/new/"
PORTAL: Final = "/portal/"
DESK: Final = "/desk/"
NAMES: Final = tuple(settings.LANGUAGES)
CODES: Final = tuple(code for code, _name in settings.LANGUAGES)


def absolute(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"


def home(language: str = "") -> str:
    """The help centre; without a language in the reader's own."""
    return f"/{language}/" if language else "/"


def top(language: str) -> str:
    """All categories, and the search."""
    return f"/kb/{language}/"


def article(translation: Translation) -> str:
    return f"/kb/{translation.language}/{translation.slug}/"


def permanent(article_id: int) -> str:
    """Leads to the article in the reader's language, however it is called by then."""
    return f"/kb/{article_id}/"


def category(one: Category, language: str) -> str:
    return f"/kb/{language}/c/{one.slug}/"


def guide(one: Guide, language: str) -> str:
    return f"/kb/{language}/guides/{one.slug}/"


def step(one: Step, guide_slug: str, language: str) -> str:
    return f"/kb/{language}/guides/{guide_slug}/{one.pk}/"


def file(one: ArticleFile) -> str:
    return f"/kb/files/{one.public_id}/{quote(one.name)}"


def markdown(one: ArticleFile) -> str:
    """How the file is put into a text."""
    name = one.name.replace("[", "(").replace("]", ")")
    return f"{'!' if one.content_type.startswith('image/') else ''}[{name}]({file(one)})"


def feed(language: str, kind: str) -> str:
    return f"/kb/{language}/feed.{kind}"


def sent(article_id: int, what: str) -> str:
    """Where a vote, a comment or a remark on an article is sent to."""
    return f"/kb/articles/{article_id}/{what}/"


def status(language: str) -> str:
    return f"/status/{language}/"
