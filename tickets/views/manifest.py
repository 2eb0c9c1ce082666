"""The web app's manifest (W3C): the desk on a phone's home screen, which iOS wants for Web Push."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from tickets.desk.rendering import brand


@require_GET
@cache_control(max_age=3600)
def manifest(request: HttpRequest) -> HttpResponse:
    """Asked for without a cookie: it says nothing but the company's name, which the front page says as well."""
    start = reverse("tickets:queue")
    shown: dict[str, Any] = {
        "id": start,
        "name": brand(),
        "short_name": brand()[:12].strip(),
        "lang": get_language() or "en",
        "start_url": start,
        # Logging in is a part of it.
        "scope": "/",
        "display": "standalone",
        "background_color": "#f3f4f6",
        "theme_color": "#f3f4f6",
        "icons": [
            _icon("icon-192.png", 192),
            _icon("icon-512.png", 512),
            {**_icon("icon-maskable-512.png", 512), "purpose": "maskable"},
        ],
        "shortcuts": [
            {"name": _("Mine"), "url": f"{start}?view=mine"},
            {"name": _("Pages"), "url": reverse("tickets:pages")},
            {"name": _("On call"), "url": reverse("tickets:on_call")},
        ],
    }
    return HttpResponse(json.dumps(shown, ensure_ascii=False), content_type="application/manifest+json")


@require_GET
@cache_control(max_age=86_400)
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it where a page is no page of ours: a raw mail, a file."""
    return redirect(static("img/icon-192.png"))


def _icon(name: str, size: int) -> dict[str, str]:
    return {"src": static(f"img/{name}"), "sizes": f"{size}x{size}", "type": "image/png"}
