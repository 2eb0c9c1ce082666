"""The portal's pages, in the customer's language and time zone."""

import re
from datetime import datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.template.backends.utils import csrf_input_lazy
from django.utils import formats, timezone
from django.utils.translation import get_language, gettext
from jinja2 import Environment
from markupsafe import Markup

from helpdesk.conversations.channel_names import channel_name
from helpdesk.customers.company import names
from helpdesk.customers.models import Customer
from helpdesk.customers.sessions import signed_in
from helpdesk.desk import markdown
from helpdesk.desk.engine import engine, translator
from helpdesk.desk.web_links import linked
from helpdesk.people.sessions import browser
from portal import parts, wording

_MARKS: Final = re.compile(r"[*_`#>]+")


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
        "_": translator(language),
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
    made = engine("portal")
    made.globals.update(brand=brand, channel_name=channel_name, wording=wording)
    made.filters.update(
        when=when,
        day=day,
        iso=datetime.isoformat,
        linked=linked,
        formatted=markdown.shown,
        unmarked=unmarked,
        browser=browser,
    )
    return made


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


def unmarked(text: str) -> str:
    """The beginning of a text on one line, without the marks of Markdown."""
    return " ".join(_MARKS.sub("", text).split())
