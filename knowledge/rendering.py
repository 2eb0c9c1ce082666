"""The public pages' templates. They know no request: what is drawn for anybody is kept for everybody."""

from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import get_language
from jinja2 import Environment
from markupsafe import Markup, escape

from helpdesk.customers import company
from helpdesk.desk.engine import engine, translator
from knowledge import addresses, searching, wording


def render(name: str, language: str, **context: Any) -> str:
    """A template of `templates/knowledge/` in this language. `path` is where it lies, without the language's part, with
    `{}` in its place; "" where there is nothing to choose between.
    """
    with translation.override(language):
        company_name, logo = company.names()
        common = {
            "_": translator(language),
            "language": language,
            "languages": settings.LANGUAGES,
            "company": company_name,
            "logo": logo,
            "path": "",
            "canonical": "",
        }
        return environment().get_template(name).render(common | context)


@lru_cache(4096)
def _day(language: str, at: datetime) -> Markup:
    local = at.astimezone(ZoneInfo(settings.OFFICE_TIME_ZONE))
    words = formats.date_format(local, "DATE_FORMAT")
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), words)


def marked(excerpt: str) -> Markup:
    """A search's excerpt with what was found in it marked."""
    text = str(escape(excerpt))
    return Markup(text.replace(searching.BEGIN_MARK, "<mark>").replace(searching.END_MARK, "</mark>"))


@cache
def environment() -> Environment:
    made = engine("knowledge")
    made.globals.update(to=addresses)
    made.filters.update(
        day=lambda at: _day(get_language() or "en", at),
        marked=marked,
        words=lambda texts: wording.in_language(texts, get_language() or "en"),
        absolute=addresses.absolute,
    )
    return made
