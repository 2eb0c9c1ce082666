"""The portal's pages, in the customer's language and time zone."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.template.backends.utils import csrf_input_lazy
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import get_language, gettext, ngettext, pgettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from helpdesk.customers.company import names
from helpdesk.customers.models import Customer
from helpdesk.customers.sessions import signed_in
from helpdesk.desk import markdown
from helpdesk.desk.web_links import linked
from portal import parts, wording

_MARKS: Final = re.compile(r"[*_`#>]+")
SPRITE: Final = "vendor/lucide-static@1.62.0/sprite.svg"


def page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page of `templates/portal/`; no browser and no proxy keeps it."""
    response = HttpResponse(render(request, name, **context), status=status)
    response["Cache-Control"] = "private, no-store"
    return response


def render(request: HttpRequest, name: str, **context: Any) -> Markup:
    """One template, safe because the engine escaped what it was given."""
    language = get_language() or "en"
    customer = signed_in(request)
    match = request.resolver_match
    common: dict[str, Any] = {
        "_": _translator(language),
        "language": language,
        "customer": customer,
        "messages": get_messages(request),
        "csrf_input": csrf_input_lazy(request),
        "here": match.url_name if match else "",
        "menu": parts.menu(customer) if customer is not None else [],
    }
    return Markup(environment().get_template(name).render(common | context))


def zone_of(customer: Customer | None) -> ZoneInfo:
    """Where the customer's clock hangs; the office's where we do not know it."""
    for name in (customer.timezone if customer else "", settings.OFFICE_TIME_ZONE):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(settings.BASE_DIR / "templates" / "portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=settings.DEBUG,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)  # type: ignore[attr-defined]
    made.globals.update(icon=icon, url=url, static=static, brand=brand, wording=wording)
    made.filters.update(
        when=when,
        day=day,
        iso=datetime.isoformat,
        linked=linked,
        formatted=markdown.shown,
        size=file_size,
        unmarked=unmarked,
    )
    return made


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


@lru_cache(1024)
def url(name: str, *arguments: object) -> str:
    return reverse(name, args=arguments)


@cache
def icon(name: str) -> Markup:
    """A picture beside a word that says the same: hidden from readers of the page aloud. Names come from us alone."""
    return Markup('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>').format(static(SPRITE), name)


def brand() -> str:
    """Whose portal it is, where others have a logo."""
    return names()[1] or gettext("Help")


def when(at: datetime) -> Markup:
    """Day and time in the customer's zone."""
    local = timezone.localtime(at)
    words = f"{formats.date_format(local, 'DATE_FORMAT')}, {local:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), words)


def day(at: Any) -> str:
    """A date, or the customer's date of an instant."""
    return formats.date_format(timezone.localtime(at) if isinstance(at, datetime) else at, "DATE_FORMAT")


def file_size(count: int) -> str:
    """Bytes as people say them, in powers of 1,024, as the limits of files are."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.0f} kB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.0f} MB"


def unmarked(text: str) -> str:
    """The beginning of a text on one line, without the marks of Markdown."""
    return " ".join(_MARKS.sub("", text).split())
