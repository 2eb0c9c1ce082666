"""The template engine as every room has it: escaping, strict about what is missing, with gettext's newer style. And
what the pages of several rooms draw alike: pictures, addresses, sizes of files.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext, ngettext, pgettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

SPRITE: Final = "vendor/lucide-static@1.62.0/sprite.svg"
_KB: Final = 1024
_MB: Final = 1024 * 1024


def engine(*folders: str) -> Environment:
    """An engine for the templates below `templates/`, in these folders, with `icon`, `url`, `static` and `|size`."""
    templates = Path(settings.BASE_DIR) / "templates"
    made = Environment(
        loader=FileSystemLoader([templates / folder for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=settings.DEBUG,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)  # type: ignore[attr-defined]
    made.globals.update(icon=icon, url=url, static=cache(static))
    made.filters.update(size=file_size)
    return made


@cache
def translator(language: str | None) -> Callable[..., Markup]:
    """`_` of the templates in one language, which is the active one: a page asks it a hundred times, and the engine's
    own looks each text up twice.
    """
    known: dict[str, Markup] = {}

    def translated(text: str, /, **values: object) -> Markup:
        if values:
            return Markup(gettext(text)) % values
        if text not in known:
            known[text] = Markup(gettext(text)) % {}
        return known[text]

    return translated


@cache
def icon(name: str) -> Markup:
    """A picture beside a word that says the same: hidden from readers of the page aloud. Names come from us alone."""
    return icon_of(static(SPRITE), name)


@lru_cache(1024)
def icon_of(sprite: str, name: str) -> Markup:
    """A picture of a sprite that lies elsewhere than our own files."""
    return Markup('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>').format(sprite, name)


@lru_cache(4096)
def url(name: str, *arguments: object) -> str:
    return reverse(name, args=arguments)


def file_size(count: int) -> str:
    """Bytes as people say them, in powers of 1,024, as the limits of files are."""
    if count < _KB:
        return f"{count} B"
    if count < _MB:
        return f"{count / _KB:.0f} kB"
    size = count / _MB
    return f"{formats.number_format(size, decimal_pos=1 if size < 10 else 0)} MB"
