"""The public pages' templates. They know no request: the same page is rendered for memory, for files, and for those who
are signed in.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from functools import cache, lru_cache, partial
from typing import Any, Final

from django.conf import settings
from django.templatetags.static import static
from django.utils import formats, translation
from django.utils.dates import MONTHS
from django.utils.translation import get_language
from jinja2 import Environment
from markupsafe import Markup

from helpdesk.desk import markdown
from helpdesk.desk.engine import SPRITE, engine, icon_of, translator
from status import bars, times, wording
from status.addresses import page_url
from status.snapshot import UPTIME_DAYS, ShownComponent, ShownIncident, Snapshot

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
class Roots:
    """Where the links of a page begin. `root` leads to the front page in its language, `top` to where the API lies,
    both relative, so that the same page works below any address; `app` leads to what only the helpdesk can answer.
    """

    root: str
    top: str
    app: str
    is_exported: bool = False

    def asset(self, name: str) -> str:
        """The address of a style, script or picture."""
        return f"{self.top}assets/{name}" if self.is_exported else _static(name)

    def icon(self, name: str) -> Markup:
        """A picture beside a word that says the same: hidden from readers of the page aloud."""
        return icon_of(self.asset(SPRITE), name)


@cache
def _static(name: str) -> str:
    return static(name)


def render(name: str, roots: Roots, language: str, shown: Snapshot, **context: Any) -> Markup:
    """A template of `templates/status/` in this language, with all times in the page's zone."""
    zone = shown.zone
    with translation.override(language):
        common = {
            "_": translator(language),
            "shown": shown,
            "roots": roots,
            "icon": roots.icon,
            "language": language,
            "languages": settings.LANGUAGES,
            "when": partial(_when, language, zone),
            "card": partial(_card, roots, language, shown),
            "component": partial(_component, roots, language, shown),
        }
        return Markup(environment().get_template(name).render(common | context))


@dataclass(frozen=True, slots=True)
class _Card:
    """An incident as it stands in a list. Two are alike that are so in all but the last three."""

    root: str
    language: str
    zone: tzinfo
    id: str
    changed_at: datetime
    status: str
    impact: str
    affected: tuple[tuple[str, str], ...]
    most: int
    level: int
    roots: Roots = field(compare=False)
    one: ShownIncident = field(compare=False)
    shown: Snapshot = field(compare=False)


def _card(roots: Roots, language: str, shown: Snapshot, one: ShownIncident, most: int = 3, level: int = 3) -> Markup:
    """The incident with its newest updates, under a heading of that level."""
    key = ("card", roots.root, language, one.id, most, level)
    found: Markup | None = shown.drawn.get(key)
    if found is None:
        found = shown.drawn[key] = _drawn(_known(roots, language, shown, one, most, level))
    return found


def _known(roots: Roots, language: str, shown: Snapshot, one: ShownIncident, most: int, level: int) -> _Card:
    affected = tuple((shown.by_id[pk].name, state) for pk, state in one.states.items())
    known = (one.id, one.changed_at, one.status, one.impact, affected, most, level)
    return _Card(roots.root, language, shown.zone, *known, roots, one, shown)


@lru_cache(1024)
def _drawn(card: _Card) -> Markup:
    """Incidents are drawn once a change: a page has dozens, and those gone by change no more."""
    context = {"one": card.one, "most": card.most, "level": card.level}
    return render("_card.jinja", card.roots, card.language, card.shown, **context)


def _component(roots: Roots, language: str, shown: Snapshot, one: ShownComponent) -> Markup:
    """A component with its uptime up to the minute: drawn once a minute, for as long as nothing else is read."""
    key = ("component", roots.asset(SPRITE), language, one.id)
    minute = shown.at.replace(second=0, microsecond=0)
    known: tuple[datetime, Markup] | None = shown.drawn.get(key)
    if known is None or known[0] != minute:
        drawing = bars.draw(one, shown) if one.shows_uptime else None
        markup = render("_component.jinja", roots, language, shown, one=one, drawing=drawing)
        known = shown.drawn[key] = (minute, markup)
    return known[1]


@lru_cache(4096)
def _when(language: str, zone: tzinfo, at: datetime) -> Markup:
    """The same few times stand on every page, and writing one takes Django longer than all else about it."""
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), times.moment(at, zone))


@cache
def environment() -> Environment:
    made = engine("status")
    made.globals.update(duration=bars.duration, headings=wording.update_headings, icons=wording.ICONS)
    # Search engines follow no relative address there.
    made.globals.update(home=page_url)
    made.globals.update(width=bars.WIDTH, height=bars.HEIGHT, days=UPTIME_DAYS)
    made.filters.update(
        body=markdown.body,
        state=wording.state,
        status=wording.status,
        impact=wording.impact,
        tone=wording.TONES.__getitem__,
        date=lambda on: _date(get_language() or "en", on),
        month=lambda on: formats.date_format(on, "YEAR_MONTH_FORMAT"),
        month_name=lambda on: str(MONTHS[on.month]),
    )
    return made


@lru_cache(1024)
def _date(language: str, on: date) -> str:
    return formats.date_format(on, "DATE_FORMAT")
