"""The desk's pages and fragments, rendered by Jinja2; customers' pages, few and small, are Django templates.

A page of fifty rows costs Django's engine several times what it costs here (ADR 11). Both escape by default.
"""

import re
from datetime import date, datetime, tzinfo
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.template.backends.utils import csrf_input_lazy
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.dates import MONTHS_3, WEEKDAYS_ABBR
from django.utils.translation import get_language, gettext
from jinja2 import Environment
from markupsafe import Markup, escape

from helpdesk.customers.company import names
from helpdesk.days import long_day, short_day
from helpdesk.desk import markdown
from helpdesk.desk.engine import engine, icon, translator
from helpdesk.desk.web_links import linked
from helpdesk.static_files import build
from tickets.desk import durations, inbox, wording

PARTS = ("main", "layer-body")


def page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page, or a fragment of one, of `templates/desk/`, with what every page of the desk says."""
    response = HttpResponse(render(request, name, **context), status=status)
    patch_vary_headers(response, ["HX-Target"])
    return response


def render(request: HttpRequest, name: str, **context: Any) -> Markup:
    """One template of `templates/desk/`, safe because the engine escaped what it was given."""
    match = request.resolver_match
    common: dict[str, Any] = {
        "user": request.user,
        "messages": get_messages(request),
        "csrf_input": csrf_input_lazy(request),
        # Asked for by a pane or a layer, a page is its content alone, without navigation.
        "is_part": request.headers.get("HX-Target") in PARTS,
        "here": match.url_name if match else "",
        "demo": settings.HELPDESK_DEMO,
        "view": None,
        "views": inbox.standard(),
        "counts": None,
    }
    return fragment(name, **common | context)


def fragment(name: str, **context: Any) -> Markup:
    """A template that needs no request, in the language and the zone that are active."""
    # Both are asked for once: each look-up is cheap, but a queue would make hundreds.
    language, zone = get_language(), timezone.get_current_timezone()
    spoken = {
        "_": translator(language),
        "labels": wording.labels(language),
        "when": partial(_when, language, zone),
        "language": language,
    }
    return Markup(environment().get_template(name).render(spoken | context))


@cache
def environment() -> Environment:
    made = engine("desk")
    made.globals.update(
        build=build,
        brand=brand,
        now=timezone.now,
        words=durations.words,
        when_in=when_in,
    )
    # The engine calls a filter in a tenth of the time that it takes for a function.
    made.filters.update(
        ago=durations.ago,
        until=until,
        icon=icon,
        goal=durations.goal,
        initials=wording.initials,
        hue=wording.hue,
        channel_icon=channel_icon,
        conversation_url=conversation_url,
        linked=linked,
        formatted=markdown.shown,
        marked=marked,
        local_date=timezone.localdate,
        day=day,
        clock=clock,
        iso=iso,
        pill=pill,
        short_day=short_day,
        short_time=short_time,
    )
    return made


def brand() -> str:
    """Whose desk this is, where others have a logo and at the end of every title."""
    return names()[1] or gettext("Helpdesk")


def conversation_url(pk: int) -> str:
    return _conversation_url().replace("0", str(pk), 1)


@cache
def _conversation_url() -> str:
    return reverse("tickets:conversation", args=[0])


@cache
def channel_icon(channel: str) -> Markup:
    return icon(wording.channel_icon(channel))


def pill(due_at: datetime, warn_at: datetime | None, at: datetime) -> Markup:
    """A clock counting down; `ticker.js` goes on with it in the browser."""
    shown = durations.countdown(due_at, warn_at, at)
    due, warn = due_at.isoformat(), warn_at.isoformat() if warn_at else ""
    # Everything but the text is ours; Markup.format takes six times as long, and a queue has fifty of these.
    times = f'data-due="{due}" data-warn="{warn}" datetime="{due}"'
    return Markup(f'<time class="pill num {shown.tone}" {times}>{escape(shown.text)}</time>')


_MARK = re.compile("\x02(.*?)\x03", re.DOTALL)


def marked(text: str) -> Markup:
    """What a search found, with the words that were looked for between two control characters made visible."""
    shown = _MARK.sub(r"<mark>\1</mark>", str(escape(text)))
    return Markup(shown.replace("\x02", "").replace("\x03", ""))


def _when(language: str | None, zone: tzinfo, at: datetime) -> str:
    """Day and time in the agent's zone. Django's own formatting takes ten times as long, and rows have two each."""
    local = at.astimezone(zone)
    days, months = _calendar_words(language)
    return f"{days[local.weekday()]} {local.day} {months[local.month]} {local.year}, {local.hour:02}:{local.minute:02}"


@cache
def _calendar_words(language: str | None) -> tuple[list[str], list[str]]:
    days = [str(WEEKDAYS_ABBR[number]) for number in range(7)]
    return days, ["", *(str(MONTHS_3[number]).capitalize() for number in range(1, 13))]


def until(then: datetime, at: datetime) -> str:
    """Until when something sleeps, in the agent's zone: a time today, a weekday within a week, else a date."""
    local = timezone.localtime(then)
    days = (local.date() - timezone.localdate(at)).days
    if days == 0:
        return f"{local:%H:%M}"
    return f"{WEEKDAYS_ABBR[local.weekday()]} {local:%H:%M}" if 0 < days < 7 else short_day(local.date())


def day(at: date) -> str:
    """A day, or the day of a time in the agent's zone."""
    return long_day(timezone.localtime(at) if isinstance(at, datetime) else at, with_year=True)


def clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}"


def iso(at: datetime) -> str:
    return at.isoformat()


def when_in(at: datetime, zone: tzinfo) -> str:
    """Day and time in a schedule's zone rather than the agent's."""
    local = at.astimezone(zone)
    return f"{short_day(local)}, {local:%H:%M}"


def short_time(at: datetime) -> str:
    """A weekday and a time in the agent's zone."""
    local = timezone.localtime(at)
    return f"{WEEKDAYS_ABBR[local.weekday()]} {local:%H:%M}"
