"""The template engine as every room has it: escaping, strict about what is missing, with gettext's newer style."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext, ngettext, pgettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup


def engine(*folders: str) -> Environment:
    """An engine for the templates below `templates/`, in these folders."""
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
