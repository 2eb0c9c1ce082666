"""The page behind the link of a page's e-mail: what it is about, one button, and how it will be handled."""

import uuid
from datetime import timedelta
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from helpdesk.conversations import on_call
from helpdesk.conversations.answers import Refused
from helpdesk.customers.models import User
from helpdesk.oncall import notices, paging
from helpdesk.oncall.models import Page

VALID_FOR = timedelta(days=7)
LONGEST_HANDLING = 10_000
_VIA = "e-mail link"


# Whoever has the address may press the button: it is the address that is secret, and no cookie is looked at.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge_page(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the page, so that link scanners do no harm; POST acknowledges it and may answer the customer.

    No login: the signed token names the page and the person. It is good for VALID_FOR.
    """
    try:
        told = signing.loads(token, salt=notices.SALT, max_age=VALID_FOR)
        page = Page.objects.select_related("acknowledged_by").get(pk=told["page"])
    except signing.SignatureExpired:
        return _sorry(request, 403, _("This link is older than seven days. Please open the page on the desk."))
    except (signing.BadSignature, KeyError, TypeError):
        return _sorry(request, 403, _("This link is not valid. Please copy all of it from the message."))
    except Page.DoesNotExist:
        return _sorry(request, 404, _("There is no such page any more."))
    user = User.objects.filter(pk=told.get("user"), is_active=True).first() if told.get("user") else None
    if told.get("user") and user is None:
        return _sorry(request, 403, _("This link belongs to somebody who is not an agent any more."))
    said = False
    if request.method == "POST":
        handling = request.POST.get("handling", "").replace("\x00", "").strip()[:LONGEST_HANDLING]
        said = _acknowledge(page, user, handling)
        page = Page.objects.select_related("acknowledged_by").get(pk=page.pk)
    context = {"page": page, "user_named": user, "said": said, "url": notices.page_url(page)}
    context["may_answer"] = user is not None and page.conversation_id is not None and not said
    return _private(_drawn(request, user, context))


def _drawn(request: HttpRequest, user: User | None, context: dict[str, Any]) -> HttpResponse:
    """In the person's own language and time, as on the desk."""
    if user is None:
        return render(request, "oncall/acknowledge.html", context)
    with translation.override(user.language), timezone.override(notices.zone_of(user)):
        return render(request, "oncall/acknowledge.html", context)


def _acknowledge(page: Page, user: User | None, handling: str) -> bool:
    """Whether words were sent to the customer. The button pressed twice says them once."""
    at = timezone.now()
    if user is None or page.conversation_id is None or not handling:
        paging.acknowledge(page.pk, at=at, user=user, via=_VIA)
        return False
    client_id = uuid.uuid5(uuid.NAMESPACE_OID, f"page {page.pk}: {handling}")
    try:
        on_call.acknowledge_page(page.pk, user, handling, at=at, via=_VIA, client_id=client_id)
    except Refused:
        return False  # acknowledged, without words that may not stand where the customer is
    return True


def _sorry(request: HttpRequest, status: int, reason: str) -> HttpResponse:
    return _private(render(request, "oncall/acknowledge.html", {"problem": reason}, status=status))


def _private(response: HttpResponse) -> HttpResponse:
    # The address is the key: it must not travel on to the next site or into an index.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
