"""How one is told of what happens: each kind by the ways one chooses, quiet hours, and the browsers that are woken."""

import json
from datetime import time
from typing import Any, Final
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.dateparse import parse_time
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.conversations.models import Status
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.numbers import is_number
from tickets.desk import notices, webpush
from tickets.desk.models import NotificationChoice, PushSubscription
from tickets.views.access import AgentRequest, agent_view, viewers_too
from tickets.views.settings import generic

# An agent's browsers: a laptop, a phone and a few forgotten ones. The oldest make room.
MOST_BROWSERS: Final = 10
LONGEST_BODY: Final = 4096
MOST_RINGING: Final = 20
_WORKER: Final = "js/worker.js"


@require_http_methods(["GET", "POST"])
@viewers_too
def notifications(request: AgentRequest) -> HttpResponse:
    error = ""
    if request.method == "POST":
        error = _save(request)
        if not error:
            messages.success(request, _("Saved."))
            return redirect("tickets:notifications")
    kept = NotificationChoice.objects.filter(user=request.user).first()
    context: dict[str, Any] = {
        "kinds": _kinds(),
        "ways": _ways(),
        "choice": notices.choice(request.user, kept),
        "no_mail": notices.NO_MAIL,
        "browsers": PushSubscription.objects.filter(user=request.user).order_by("-created_at"),
        "push_key": webpush.public_key(),
        "error": error,
    }
    return generic.show(request, "alerts", "alerts", status=422 if error else 200, **context)


def _save(request: AgentRequest) -> str:
    """Keep what was chosen; what is wrong with it, empty where nothing is."""
    begin, end = _time(request.POST.get("quiet_from", "")), _time(request.POST.get("quiet_until", ""))
    ways = {kind: [way for way in ways_of(kind) if f"{kind}:{way}" in request.POST] for kind in notices.KINDS}
    try:
        notices.keep_choice(
            request.user,
            ways,
            begin,
            end,
            "hides_text" in request.POST,
            volume=_percentage(request.POST.get("volume", "")),
            rings_for_chats="rings_for_chats" in request.POST,
            rings_for_urgent="rings_for_urgent" in request.POST,
        )
    except notices.HalfQuiet as error:
        return str(error)
    return ""


def ways_of(kind: str) -> list[str]:
    """The ways there are for this kind."""
    return [way for way in notices.WAYS if way != notices.MAIL or kind not in notices.NO_MAIL]


def _percentage(text: str) -> int:
    return min(int(text), 100) if text.isascii() and text.isdecimal() and len(text) < 4 else notices.VOLUME


def _time(text: str) -> time | None:
    try:
        return parse_time(text)
    except ValueError:
        return None


def _kinds() -> dict[str, str]:
    return {
        notices.CHAT: _("A live chat is offered to me, or waits for me"),
        notices.OPENED: _("New conversation in my teams"),
        notices.MESSAGE: _("Message in a conversation of mine"),
        notices.MENTION: _("I am mentioned"),
        notices.ASSIGNMENT: _("A conversation is given to me"),
        notices.RISK: _("A deadline comes closer"),
        notices.PROPOSAL: _("An incident is proposed"),
    }


def _ways() -> dict[str, str]:
    return {
        notices.BADGE: _("Count"),
        notices.TOAST: _("On the page"),
        notices.SOUND: _("Sound"),
        notices.PUSH: _("Push"),
        notices.MAIL: _("Mail"),
    }


@require_GET
@agent_view
def ringing(request: AgentRequest) -> JsonResponse:
    """Which of the conversations `only`, numbers with commas, nobody has taken yet: a page that was reloaded asks."""
    numbers = [int(one) for one in request.GET.get("only", "").split(",")[:MOST_RINGING] if is_number(one)]
    waiting = visible_conversations(request.user).filter(
        pk__in=numbers, assignee=None, status__in=(Status.NEW, Status.OPEN), is_spam=False
    )
    return JsonResponse({"waiting": list(waiting.values_list("pk", flat=True))})


@require_POST
@viewers_too
def subscribe(request: AgentRequest) -> HttpResponse:
    """A browser says how it can be woken: `PushSubscription.toJSON()` of the Push API."""
    if len(request.body) > LONGEST_BODY:
        return JsonResponse({"error": "too long"}, status=413)
    try:
        given = json.loads(request.body)
        endpoint, keys = str(given["endpoint"]), given["keys"]
        p256dh, auth = str(keys["p256dh"]), str(keys["auth"])
        webpush.check_keys(p256dh, auth)
        scheme = urlsplit(endpoint).scheme
    except (ValueError, KeyError, TypeError, RecursionError):
        return JsonResponse({"error": "not a subscription"}, status=400)
    if scheme != "https" or len(endpoint) > 1000 or not endpoint.isprintable():
        return JsonResponse({"error": "not an address of a push service"}, status=400)
    # A browser that somebody else used before is this agent's now.
    values = {"user": request.user, "p256dh": p256dh, "auth": auth, "created_at": now(), "error": ""}
    PushSubscription.objects.update_or_create(endpoint=endpoint, defaults=values)
    kept = PushSubscription.objects.filter(user=request.user).order_by("-created_at", "-pk")
    PushSubscription.objects.filter(pk__in=list(kept.values_list("pk", flat=True)[MOST_BROWSERS:])).delete()
    return HttpResponse(status=204)


@require_POST
@viewers_too
def forget(request: AgentRequest, pk: int) -> HttpResponse:
    """This browser is woken no more."""
    PushSubscription.objects.filter(user=request.user, pk=pk).delete()
    return redirect("tickets:notifications")


@require_GET
@agent_view
def worker(request: AgentRequest) -> HttpResponse:
    """The service worker, from the desk's own address: a worker serves only what lies below it."""
    path = finders.find(_WORKER)
    assert isinstance(path, str), "it is a file of ours"
    with open(path, "rb") as file:
        body = file.read()
    for picture in ("img/icon-192.png", "img/badge-96.png"):
        body = body.replace(f"/static/{picture}".encode(), staticfiles_storage.url(picture).encode())
    return HttpResponse(body, content_type="text/javascript; charset=utf-8")
