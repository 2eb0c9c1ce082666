"""The fragments that make a page slow, rendered by Jinja2: rows, thread, facts. Whole pages are Django templates.

Fifty rows cost Django's engine several times what they cost here; both escape by default.
"""

from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tickets.desk import durations, wording

SPRITE = "vendor/lucide-static@1.62.0/sprite.svg"


def render(name: str, **context: Any) -> SafeString:
    """One fragment of `templates/jinja/`, safe because the engine escaped what it was given."""
    return mark_safe(environment().get_template(name).render(context))


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
        target_verb=wording.target_verb,
        target_name=wording.target_name,
        channel_icon=wording.channel_icon,
        channel_name=wording.channel_name,
        priority_name=wording.priority_name,
        status_name=wording.status_name,
        size=wording.file_size,
    )
    made.filters.update(when=when, day=day, clock=clock, iso=iso, linked=wording.linked)
    return made


def icon(name: str) -> Markup:
    """A picture beside a word that says the same: hidden from readers of the page aloud."""
    return Markup('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>').format(_sprite(), name)


@cache
def _sprite() -> str:
    return static(SPRITE)


def when(at: datetime) -> str:
    """Day and time in the agent's zone."""
    return formats.date_format(timezone.localtime(at), "D j M Y, H:i")


def day(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "l j F Y")


def clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}"


def iso(at: datetime) -> str:
    return at.isoformat()
