"""The fragments that make a page slow, rendered by Jinja2: rows, thread, facts. Whole pages are Django templates.

Fifty rows cost Django's engine several times what they cost here; both escape by default.
"""

from datetime import datetime, tzinfo
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.dates import MONTHS_3, WEEKDAYS_ABBR
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tickets.desk import durations, wording

SPRITE = "vendor/lucide-static@1.62.0/sprite.svg"


def render(name: str, **context: Any) -> SafeString:
    """One fragment of `templates/jinja/`, safe because the engine escaped what it was given."""
    # Language and zone are asked for once: each look-up is cheap, but a queue would make hundreds.
    language, zone = get_language(), timezone.get_current_timezone()
    bound = {"label": partial(wording.label, language), "when": partial(_when, language, zone)}
    return mark_safe(environment().get_template(name).render(**bound, **context))


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(settings.BASE_DIR / "templates" / "jinja"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=settings.DEBUG,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(
        icon=icon,
        url=lambda name, *arguments: reverse(f"tickets:{name}", args=arguments),
        countdown=durations.countdown,
        ago=durations.ago,
        goal=durations.goal,
        initials=wording.initials,
        hue=wording.hue,
        channel_icon=wording.channel_icon,
        size=wording.file_size,
    )
    made.filters.update(day=day, local_date=timezone.localdate, clock=clock, iso=iso, linked=wording.linked)
    return made


@cache
def icon(name: str) -> Markup:
    """A picture beside a word that says the same: hidden from readers of the page aloud. Names come from us alone."""
    return Markup('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>').format(static(SPRITE), name)


def when(at: datetime) -> str:
    """Day and time in the agent's zone. Django's own formatting takes ten times as long, and rows have two each."""
    return _when(get_language(), timezone.get_current_timezone(), at)


def _when(language: str | None, zone: tzinfo, at: datetime) -> str:
    local = at.astimezone(zone)
    days, months = _calendar_words(language)
    return f"{days[local.weekday()]} {local.day} {months[local.month]} {local.year}, {local.hour:02}:{local.minute:02}"


@cache
def _calendar_words(language: str | None) -> tuple[list[str], list[str]]:
    days = [str(WEEKDAYS_ABBR[number]) for number in range(7)]
    return days, ["", *(str(MONTHS_3[number]).capitalize() for number in range(1, 13))]


def day(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "l j F Y")


def clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}"


def iso(at: datetime) -> str:
    return at.isoformat()
