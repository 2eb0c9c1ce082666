"""What a page needs to know to show a widget: small, the same for everybody; asking for it creates nothing."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.cache import caches
from django.db.models import F
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from chat import availability, colors, estimate
from chat.availability import Availability
from chat.estimate import Estimate
from chat.models import ChatAgent, Widget
from chat.visitor_log import PICTURE_DIGITS
from helpdesk.customers.company import company, names
from helpdesk.customers.models import User
from helpdesk.static_files import build

# Every process asks the database this seldom, and a browser asks us as seldom.
CACHED_SECONDS: Final = 60
FACES: Final = 3
LONGEST_KEY: Final = 40
_KEY: Final = re.compile(r"[\w-]{1,40}", re.ASCII)


def find(key: str) -> Widget | None:
    """The widget in use under a public key; asked for once a minute and process."""
    if not _KEY.fullmatch(key):
        return None
    known: Widget | None = caches["process"].get(f"widget:{key}")
    if known is None:
        known = Widget.objects.filter(key=key, is_active=True).first()
        # Keys that somebody made up must not push others out.
        if known is not None:
            caches["process"].set(f"widget:{key}", known, CACHED_SECONDS)
    return known


def forget(widget: Widget) -> None:
    """It was changed: this process asks for it anew, the others within a minute."""
    names = [_config_name(widget.pk, code) for code, _name in settings.LANGUAGES]
    caches["process"].delete_many([f"widget:{widget.key}", *names])


def _config_name(widget_id: int, language: str) -> str:
    return f"config:{widget_id}:{language}"


def may_be_on(widget: Widget, origin: str) -> bool:
    """Whether pages of that origin may show it."""
    return not widget.origins or origin in widget.origins


def language_of(wanted: str) -> str:
    """The language to speak to somebody who asks for one or more, as in Accept-Language; else the company's first."""
    for tag in wanted[:100].split(","):
        try:
            return translation.get_supported_language_variant(tag.split(";")[0].strip().lower())
        except LookupError:
            continue
    return (company().languages or ["en"])[0]


def config(widget: Widget, language: str, *, at: datetime) -> dict[str, Any]:
    """All of it, in one language. Times are milliseconds since 1970, as on the socket."""
    name = _config_name(widget.pk, language)
    known: dict[str, Any] | None = caches["process"].get(name)
    if known is None:
        with translation.override(language):
            known = _config(widget, language, at)
        caches["process"].set(name, known, CACHED_SECONDS)
    return known


def _config(widget: Widget, language: str, at: datetime) -> dict[str, Any]:
    color = colors.readable(widget.color)
    there = availability.of(widget, at=at)
    return {
        "key": widget.key,
        "lang": language,
        "dir": "rtl" if translation.get_language_bidi() else "ltr",
        "color": color.ground,
        "ink": color.ink,
        "company": names()[0],
        "greeting": widget.greeting,
        "words": {
            "open": _("Open chat"),
            "close": _("Close chat"),
            "panel": _("Chat with us"),
            "unread": _("Open chat, unread messages: %s"),
        },
        "form": {
            "name": widget.asks_name,
            "email": widget.asks_email,
            "needs_email": widget.needs_email,
            "only_verified": widget.only_verified,
        },
        "pages": widget.sees_pages,
        "hides": widget.when_closed == Widget.Closed.HIDE and not there.is_live,
        "team": team(widget),
        "avail": avail(widget, there, estimate.of(widget, at=at), at=at),
        "limits": {"text": 10_000, "file": 10 * 1024 * 1024, "files": 5},
        "build": build(),
    }


def avail(widget: Widget, there: Availability, expected: Estimate | None, *, at: datetime) -> dict[str, Any]:
    """Hours and estimate, as in `welcome` and `avail` of the socket; `says` is in the active language.

    `open`: office hours; `live`: somebody takes chats now; `eta`: seconds, or null where too few were answered yet;
    then `says` tells the goal.
    """
    return {
        "open": there.is_open,
        "live": there.is_live,
        "closes_at": _milliseconds(there.closes_at),
        "next_open": _milliseconds(there.next_open_at),
        "eta": expected.high if expected else None,
        "says": estimate.says(widget, expected, at=at),
    }


def avail_now(asked: Collection[tuple[int, str]], *, at: datetime) -> dict[tuple[int, str], dict[str, Any]]:
    """`avail` of widgets in languages, by their numbers and codes, as it is now; what this process has kept of it is
    forgotten where it was otherwise, so that who comes next is told the same.
    """
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for widget in Widget.objects.filter(pk__in={number for number, _language in asked}, is_active=True):
        there, expected = availability.of(widget, at=at), estimate.of(widget, at=at)
        for language in {language for number, language in asked if number == widget.pk}:
            with translation.override(language):
                told = avail(widget, there, expected, at=at)
            found[widget.pk, language] = told
            known: dict[str, Any] | None = caches["process"].get(_config_name(widget.pk, language))
            if known is not None and known["avail"] != told:
                caches["process"].delete(_config_name(widget.pk, language))
    return found


def team(widget: Widget) -> list[dict[str, str]]:
    """Those who were active last, by first name, with the address of their picture or none."""
    shown = ChatAgent.objects.select_related("user").filter(is_shown=True, user__is_active=True)
    shown = shown.exclude(user__role=User.Role.VIEWER)
    if widget.team_id is not None:
        shown = shown.filter(user__teams=widget.team_id)
    latest = shown.order_by(F("active_at").desc(nulls_last=True), "user_id")[:FACES]
    return [{"name": public_name(agent), "avatar": picture_url(agent)} for agent in latest]


def public_name(agent: ChatAgent) -> str:
    """How customers know them: as they have chosen, else by the first name."""
    return agent.public_name or agent.user.name.split(" ")[0]


def picture_url(agent: ChatAgent) -> str:
    """Where their picture is; empty without one."""
    return reverse("chat:picture", args=[agent.pk, agent.picture[:PICTURE_DIGITS]]) if agent.picture else ""


def _milliseconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)
