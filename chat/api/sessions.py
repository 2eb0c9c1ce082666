"""`POST /chat/api/session`: who a visitor is, exchanged once for a token of ours; `DELETE` ends it. `POST
/chat/api/resume`: the link of a mail for one.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from chat import identity, limits, links, sessions, welcome, widgets
from chat.api.access import (
    Refused,
    VisitorRequest,
    address_of,
    body_of,
    is_own,
    public_view,
    text_of,
    visit_of,
    visitor_view,
    within,
)
from chat.models import Chat, Widget
from helpdesk.customers.sessions import signed_in


@public_view("POST", "DELETE")
def session(request: HttpRequest) -> HttpResponse:
    """Begin, or end with DELETE."""
    response: HttpResponse = _end(request) if request.method == "DELETE" else _begin(request)
    return response


def _begin(request: HttpRequest) -> HttpResponse:
    given = body_of(request)
    widget = _widget(request, given)
    origin = text_of(given, "origin", 253)
    _check_origin(request, widget, origin)
    at = now()
    try:
        visit, token = sessions.open_visit(
            widget,
            identity.read(widget, given.get("user")),
            at=at,
            known_as=visit_of(request),
            # The portal's own word, where the panel is a page of ours and nobody else vouches.
            customer=signed_in(request) if given.get("user") is None and is_own(request, origin) else None,
            origin=origin,
            language=text_of(given, "lang", 35),
            timezone=text_of(given, "tz", 60),
            browser=request.headers.get("User-Agent", ""),
        )
    except identity.UsedBefore as error:
        raise _stranger(given, "used", error) from error
    except identity.NotSigned as error:
        raise _stranger(given, "signature", error) from error
    latest = Chat.objects.select_related("conversation").filter(visit=visit).order_by("-conversation_id").first()
    return JsonResponse({"session": token, **welcome.state(visit, latest, at=at)}, status=201)


def _stranger(given: Mapping[str, Any], code: str, error: ValueError) -> Refused:
    words = _("This page could not tell us who you are. Load it again, or come back a little later.")
    return _unknown(given, code, error, words)


def _unknown(given: Mapping[str, Any], code: str, error: ValueError, words: object) -> Refused:
    """`detail` is for the developer of the page, `says` for who reads it."""
    with translation.override(widgets.language_of(text_of(given, "lang", 35))):
        return Refused(401, code, str(error), says=str(words))


def _check_origin(request: HttpRequest, widget: Widget, named: str) -> None:
    """A widget with a list of origins is for pages of these alone. A browser's own word is the Origin header, which is
    ours for a panel; around which page that panel stands it cannot say, so the panel names it, as it was told by us
    and only where that page may frame it. Whoever is no browser can name anything: this is no defence against them,
    signatures and limits are. Raises Refused.
    """
    header = request.headers.get("Origin")
    for origin in (named, *([] if header is None else [header])):
        if not is_own(request, origin) and not widgets.may_be_on(widget, origin):
            raise Refused(403, "origin", "The widget is not for pages of this origin.")


@public_view("POST")
def resume(request: HttpRequest) -> HttpResponse:
    """By the link of a mail into its conversation, and no other."""
    given = body_of(request)
    widget = _widget(request, given)
    at = now()
    try:
        visit, token = links.enter(
            widget,
            text_of(given, "link", links.LONGEST),
            at=at,
            language=text_of(given, "lang", 35),
            timezone=text_of(given, "tz", 60),
        )
    except links.BadLink as error:
        words = _("This link is too old, or incomplete. Write to us here, or answer our mail.")
        raise _unknown(given, "link", error, words) from error
    return JsonResponse({"session": token, **welcome.state(visit, visit.only_chat, at=at)}, status=201)


def _widget(request: HttpRequest, given: Mapping[str, Any]) -> Widget:
    widget = widgets.find(text_of(given, "key", widgets.LONGEST_KEY))
    if widget is None:
        raise Refused(404, "key", "There is no such widget.")
    within(limits.SESSIONS_OF_ADDRESS, f"{widget.pk} {address_of(request)}")
    return widget


@visitor_view("DELETE")
def _end(request: VisitorRequest) -> HttpResponse:
    sessions.end(request.visit, at=now())
    return HttpResponse(status=204)
