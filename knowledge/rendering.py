"""The public pages' templates. They know no request: what is drawn for anybody is kept for everybody."""

from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.templatetags.static import static
from django.utils import formats, translation
from django.utils.translation import get_language, gettext, ngettext, pgettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from helpdesk.customers import company
from knowledge import addresses, searching, wording

SPRITE: Final = "vendor/lucide-static@1.62.0/sprite.svg"


def render(name: str, language: str, **context: Any) -> str:
    """A template of `templates/knowledge/` in this language. `path` is where it lies, without the language's part, with
    `{}` in its place; "" where there is nothing to choose between.
    """
    with translation.override(language):
        company_name, logo = company.names()
        common = {
            "_": _translator(language),
            "language": language,
            "languages": settings.LANGUAGES,
            "company": company_name,
            "logo": logo,
            "path": "",
            "canonical": "",
        }
        return environment().get_template(name).render(common | context)


@cache
def _translator(language: str) -> Callable[..., Markup]:
    """`_` of the templates in one language, which is the active one."""
    known: dict[str, Markup] = {}

    def translated(text: str, /, **values: object) -> Markup:
        if values:
            return Markup(gettext(text)) % values
        if text not in known:
            known[text] = Markup(gettext(text)) % {}
        return known[text]

    return translated


@lru_cache(256)
def _icon(name: str) -> Markup:
    """A picture beside a word that says the same: hidden from readers of the page aloud."""
    address = f"{static(SPRITE)}#{name}"
    return Markup('<svg class="i" aria-hidden="true"><use href="{}"/></svg>').format(address)


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
    made = Environment(
        loader=FileSystemLoader(settings.BASE_DIR / "templates" / "knowledge"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=settings.DEBUG,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)  # type: ignore[attr-defined]
    made.globals.update(icon=_icon, static=cache(static), to=addresses)
    made.filters.update(
        day=lambda at: _day(get_language() or "en", at),
        marked=marked,
        words=lambda texts: wording.in_language(texts, get_language() or "en"),
        absolute=addresses.absolute,
        filesizeformat=filesizeformat,
    )
    return made
