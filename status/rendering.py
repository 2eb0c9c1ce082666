"""The public pages' templates. They know no request: the same page is rendered for memory, for files, and for those who
are signed in.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.templatetags.static import static
from django.utils import formats, translation
from django.utils.dates import MONTHS
from django.utils.translation import gettext, ngettext, pgettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from helpdesk.desk import markdown
from status import bars, wording

SPRITE: Final = "vendor/lucide-static@1.62.0/sprite.svg"
# What the pages load, which an export takes along.
ASSETS: Final = (
    "css/tokens.css",
    "css/base.css",
    "css/status.css",
    "status/news.js",
    "img/icon.svg",
    SPRITE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page lies. `root` leads from it to the front page in its language, `top` to where the API lies, both
    relative, so that the same page works below any address; `app` leads to what only the helpdesk itself can answer.
    """

    root: str
    top: str
    app: str
    is_exported: bool = False

    def asset(self, name: str) -> str:
        """The address of a style, script or picture."""
        return f"{self.top}assets/{name}" if self.is_exported else static(name)

    def icon(self, name: str) -> Markup:
        """A picture beside a word that says the same: hidden from readers of the page aloud."""
        return Markup('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>').format(self.asset(SPRITE), name)


def render(name: str, place: Place, language: str, zone: tzinfo, **context: Any) -> Markup:
    """A template of `templates/status/` in this language, with all times in this zone."""
    with translation.override(language):
        common = {
            "place": place,
            "icon": place.icon,
            "language": language,
            "languages": settings.LANGUAGES,
            "when": lambda at: _when(at, zone),
        }
        return Markup(environment().get_template(name).render(common | context))


def _when(at: datetime, zone: tzinfo) -> Markup:
    local = at.astimezone(zone)
    words = f"{formats.date_format(local, 'DATE_FORMAT')}, {local:%H:%M} {local.tzname()}"
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), words)


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(settings.BASE_DIR / "templates" / "status"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=settings.DEBUG,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)  # type: ignore[attr-defined]
    made.globals.update(duration=bars.duration, headings=wording.update_headings, icons=wording.ICONS)
    made.filters.update(
        body=markdown.body,
        state=wording.state,
        status=wording.status,
        impact=wording.impact,
        tone=wording.TONES.__getitem__,
        date=lambda on: formats.date_format(on, "DATE_FORMAT"),
        month=lambda on: formats.date_format(on, "YEAR_MONTH_FORMAT"),
        month_name=lambda on: str(MONTHS[on.month]),
    )
    return made
