"""Pages of who wants to be told: asking, saying yes, choosing, ending it. Opening an address never does anything: mail
programs and link scanners open them before people do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from markupsafe import Markup

from helpdesk.events.secrets import SecretUnreadable, decrypt
from status import choosing, distributing, serving, snapshot, subscriber_links, subscribing
from status.choosing import Choice
from status.models import Subscriber
from status.rendering import Roots, render
from status.subscribing import NotAnAddress, TooMany

NETWORKS: Final = {"x": "X", "facebook": "Facebook", "mastodon": "Mastodon", "bluesky": "Bluesky"}
TOO_MANY: Final = _("Very many asked for that in a short time. Please try again later.")
NO_EMAIL: Final = _("Please write an e-mail address, such as name@example.org.")
NO_URL: Final = _("We do not call this address: it must be a public one that begins with https://.")


@dataclass(frozen=True, slots=True)
class Page:
    """What one request is answered in: its language, and the status page as it is."""

    request: HttpRequest
    language: str
    shown: snapshot.Snapshot

    def answer(self, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
        """A page of ours within the status page."""
        path = self.request.path.partition("/status/")[2]
        root = "../" * path.count("/")
        token = Markup('<input type="hidden" name="csrfmiddlewaretoken" value="{}">').format(get_token(self.request))
        drawn = render(
            f"subscribers/{name}.jinja",
            Roots(root, root, root),
            self.language,
            self.shown,
            path=path,
            csrf=token,
            **context,
        )
        return HttpResponse(drawn, status=status)


def _page(request: HttpRequest, at: datetime, language: str = "") -> Page:
    shown = snapshot.take(at, snapshot.Part.COMPONENTS)
    known = [code for code, _name in settings.LANGUAGES]
    asked = request.GET.get("language", language)
    accepted = serving.language_of(request.headers.get("Accept-Language", ""), shown.language)
    return Page(request, asked if asked in known else accepted, shown)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """The form for strangers. What is answered does not depend on whether the address is known."""
    page = _page(request, now())
    if request.method != "POST":
        return _form(page)
    is_webhook = "url" in request.POST
    kind = Subscriber.Kind.WEBHOOK if is_webhook else Subscriber.Kind.EMAIL
    address = request.POST.get("url" if is_webhook else "email", "")[:2048]
    wishes = replace(choosing.wishes(request.POST), language=page.language)
    try:
        subscribing.ask(kind, address, wishes, remote=request.META.get("REMOTE_ADDR", ""), at=now())
    except TooMany:
        return _form(page, {"": TOO_MANY}, status=429)
    except NotAnAddress:
        return _form(page, {"url": NO_URL} if is_webhook else {"email": NO_EMAIL}, status=422)
    return redirect("status:asked")


def _form(page: Page, wrong: Mapping[str, str | Promise] | None = None, *, status: int = 200) -> HttpResponse:
    networks = [(NETWORKS.get(name, name), is_on) for name, is_on in distributing.announced_on().items()]
    with override(page.language):
        return page.answer(
            "subscribe",
            status=status,
            choice=choosing.for_strangers(page.request.POST),
            given=page.request.POST,
            wrong={name: str(words) for name, words in (wrong or {}).items()},
            networks=networks,
        )


@never_cache
@require_safe
def asked(request: HttpRequest) -> HttpResponse:
    """What comes next, for everybody the same."""
    return _page(request, now()).answer("asked")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show what was asked for; POST says yes to it (or, with `no`, that it was somebody else)."""
    at = now()
    found = subscriber_links.asked(token, at=at)
    if found is None or found.status not in (Subscriber.Status.PENDING, Subscriber.Status.ACTIVE):
        return _page(request, at).answer("gone", status=404)
    page = _page(request, at, found.language)
    if request.method == "POST" and found.status == Subscriber.Status.PENDING:
        if "no" in request.POST:
            subscribing.end(found, at=at)
            return page.answer("ended")
        wishes = replace(choosing.wishes(request.POST), language=page.language)
        if subscribing.confirm(found, wishes, at=at):
            found.refresh_from_db()
            return _own(page, found, said="confirmed", secret=_secret(found))
    if found.status == Subscriber.Status.ACTIVE:
        return redirect("status:subscription", subscriber_links.own_token(found.key))
    return page.answer("confirm", found=found, choice=choosing.of(found))


def _secret(found: Subscriber) -> str:
    """What a webhook is signed with, shown when it is confirmed and never again."""
    if found.kind != Subscriber.Kind.WEBHOOK:
        return ""
    try:
        return decrypt(found.secret)
    except SecretUnreadable:
        return ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscription(request: HttpRequest, token: str) -> HttpResponse:
    """What one subscriber is told of, to be changed."""
    at = now()
    found = subscriber_links.opened(token)
    if found is None:
        return _page(request, at).answer("gone", status=404)
    page = _page(request, at, found.language)
    if found.status == Subscriber.Status.ENDED:
        return page.answer("ended")
    if found.status == Subscriber.Status.PENDING:
        return page.answer("gone", status=404)
    if request.method != "POST":
        return _own(page, found)
    language = choosing.language_or(request.POST.get("language", ""), found.language)
    wishes = replace(choosing.wishes(request.POST, seen_by=found.customer), language=language)
    subscribing.change(found, wishes)
    found.refresh_from_db()
    return _own(_page(request, at, found.language), found, said="saved")


def _own(page: Page, found: Subscriber, *, said: str = "", secret: str = "") -> HttpResponse:
    choice: Choice = choosing.of(found)
    token = subscriber_links.own_token(found.key)
    return page.answer("subscription", found=found, choice=choice, token=token, said=said, secret=secret)


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button; POST ends it, by that button or by a mail program's own (RFC 8058 §3.2: no cookie, no redirect).
    The token is the proof that a form's token would be.
    """
    at = now()
    found = subscriber_links.opened(token)
    if found is None:
        return _page(request, at).answer("gone", status=404)
    page = _page(request, at, found.language)
    if request.method == "POST":
        subscribing.end(found, at=at)
        return page.answer("ended")
    if found.status == Subscriber.Status.ENDED:
        return page.answer("ended")
    return page.answer("unsubscribe", found=found, token=token)
