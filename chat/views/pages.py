"""What browsers ask for before anybody has said anything: the loader, what it must know, the panel, and pictures."""

import gzip
import hashlib
import re
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.timezone import now
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET, require_safe

from chat import colors, widgets
from chat.api.access import own_origin
from chat.models import ChatAgent, Widget
from chat.panel_words import panel_words
from chat.visitor_log import PICTURE_DIGITS
from helpdesk.conversations.content_types import sniff
from helpdesk.conversations.files import path_of
from helpdesk.static_files import without_comments

LOADER_SECONDS: Final = 3600
# What the panel begins with, so that none is found only in another.
MODULES: Final = tuple(
    f"chat/{name}.js" for name in ("dom", "host", "state", "api", "wire", "outbox", "marks", "log", "composer", "talk")
)
_ORIGIN: Final = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
PICTURE_TYPES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")


@require_safe
def loader(request: HttpRequest) -> HttpResponse:
    """The script that a customer's page names. It has one address for ever, so it is asked for anew each hour."""
    plain, packed, tag = _loader()
    is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    if request.headers.get("If-None-Match", "").removeprefix("W/") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(packed if is_packed else plain, content_type="text/javascript; charset=utf-8")
        if is_packed:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = tag
    response["Cache-Control"] = f"public, max-age={LOADER_SECONDS}, stale-while-revalidate=86400"
    # A script tag may ask with or without `crossorigin`, on pages that isolate themselves as well.
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


@cache
def _loader() -> tuple[bytes, bytes, str]:
    text = (settings.BASE_DIR / "static" / "chat" / "loader.js").read_text()
    plain = without_comments(text).encode()
    return plain, gzip.compress(plain, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:20]}"'


@require_GET
def config(request: HttpRequest) -> HttpResponse:
    """What the loader shows the launcher with: the same for everybody, read only by pages that may have the widget."""
    origin = request.headers.get("Origin", "")
    widget = widgets.find(request.GET.get("key", ""))
    if widget is None:
        response = JsonResponse({"code": "key", "detail": "There is no such widget."}, status=404)
        response["Access-Control-Allow-Origin"] = "*"
        return response
    if origin and not widgets.may_be_on(widget, origin) and origin != own_origin(request):
        response = JsonResponse({"code": "origin", "detail": "The widget is not for pages of this origin."}, status=403)
    else:
        known = widgets.config(widget, _language(request), at=now())
        response = JsonResponse({**known, **_color(request)})
        response["Cache-Control"] = f"public, max-age={widgets.CACHED_SECONDS}"
        if origin:
            response["Access-Control-Allow-Origin"] = origin if widget.origins else "*"
    patch_vary_headers(response, ["Origin"])
    return response


@require_GET
@xframe_options_exempt
def frame(request: HttpRequest) -> HttpResponse:
    """The panel inside a customer's page; `origin` is the page's, which the loader names, and nobody else may be it."""
    widget = widgets.find(request.GET.get("key", ""))
    if widget is None:
        raise Http404("there is no such widget")
    origin = _plain_origin(request.GET.get("origin", ""))
    if not origin or not (widgets.may_be_on(widget, origin) or origin == own_origin(request)):
        return _panel(request, widget, origin="", ancestors=["'none'"])
    return _panel(request, widget, origin=origin, ancestors=widget.origins or ["http:", "https:"])


@require_GET
def full_page(request: HttpRequest) -> HttpResponse:
    """The panel as a page of its own, for links in mails and for pages that may not run our script."""
    key = request.GET.get("key", "")
    widget = widgets.find(key) if key else Widget.objects.filter(is_active=True).order_by("pk").first()
    if widget is None:
        raise Http404("there is no such widget")
    return _panel(request, widget, origin=own_origin(request), ancestors=["'none'"], is_page=True)


@require_safe
def picture(request: HttpRequest, pk: int, digest: str) -> HttpResponse:
    """An agent's picture, once they have let customers see it; `digest` begins its SHA-256, so that it may be kept."""
    shown = ChatAgent.objects.filter(pk=pk, is_shown=True, user__is_active=True, picture__startswith=digest).first()
    if shown is None or len(digest) < PICTURE_DIGITS:
        raise Http404("nobody shows that picture")
    with default_storage.open(path_of(shown.picture)) as stored:
        content = stored.read()
    kind = sniff(content, "", "")
    if kind not in PICTURE_TYPES:
        raise Http404("that is no picture")
    response = HttpResponse(content, content_type=kind)
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _panel(
    request: HttpRequest, widget: Widget, *, origin: str, ancestors: list[str], is_page: bool = False
) -> HttpResponse:
    language = _language(request)
    known = {**widgets.config(widget, language, at=now()), **_color(request)}
    # The launcher's.
    del known["words"]
    with translation.override(language):
        context: dict[str, Any] = {
            "config": known,
            "direction": "rtl" if request.GET.get("dir") == "rtl" else known["dir"],
            "theme": request.GET.get("theme") if request.GET.get("theme") in ("light", "dark") else "",
            "words": panel_words(),
            "origin": origin,
            "is_page": is_page,
            "modules": MODULES,
        }
        response = render(request, "chat/panel.html", context)
    response["Content-Security-Policy"] = _policy(request, ancestors)
    response["Referrer-Policy"] = "origin"
    response["Cache-Control"] = f"private, max-age={widgets.CACHED_SECONDS}"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    # Nothing in it is secret, so it may be packed (BREACH is about pages that hold what others must not guess).
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response.content = gzip.compress(response.content, mtime=0)
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding", "Accept-Language"])
    return response


def _policy(request: HttpRequest, ancestors: list[str]) -> str:
    """Nothing but our own; the socket is named because Safari's 'self' has none."""
    socket = f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"connect-src 'self' {socket}",
            "img-src 'self' data: blob:",
            f"frame-ancestors {' '.join(ancestors)}",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


def _color(request: HttpRequest) -> dict[str, str]:
    """The page's own choice instead of the widget's, made readable alike; nothing where it is no `#rrggbb`."""
    asked = request.GET.get("color", "").lower()
    if not colors.HEX.fullmatch(asked):
        return {}
    color = colors.readable(asked)
    return {"color": color.ground, "ink": color.ink}


def _plain_origin(text: str) -> str:
    """What is an origin as browsers write it (RFC 6454): scheme, host and port; empty if it is none."""
    return text if len(text) <= 300 and _ORIGIN.fullmatch(text) else ""


def _language(request: HttpRequest) -> str:
    return widgets.language_of(request.GET.get("lang", "") or request.headers.get("Accept-Language", ""))
