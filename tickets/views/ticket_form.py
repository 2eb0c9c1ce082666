"""The customers' ticket form: on its own page, and framed in other sites' pages."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from helpdesk.conversations import incidents, spared
from helpdesk.conversations.uploads import files_of
from helpdesk.customers.models import Customer, Service
from helpdesk.customers.sessions import signed_in
from helpdesk.numbers import is_number
from tickets import web_form
from tickets.forms import TicketForm
from tickets.models import Topic
from tickets.views import framing
from tickets.views.framing import Frame
from tickets.views.front import THANKS, situations

MOST_SERVICES = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """One showing or sending of the form: who it is, if that is known, about what, and what frames it."""

    customer: Customer | None
    topic: Topic | None
    frame: Frame | None
    at: datetime


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_ticket(request: HttpRequest) -> HttpResponse:
    """The form; sent with errors it comes back with everything that was typed."""
    return _answer(request, Asked(signed_in(request), _topic(request), None, now()))


# No cookie reaches a framed page: the form's own signed token stands for what Django's would.
@csrf_exempt
@xframe_options_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def embedded(request: HttpRequest) -> HttpResponse:
    """The same within another site's page; `key` is a widget's. It trusts no cookie."""
    at = now()
    frame = framing.frame_of(request, at=at)
    if frame is None:
        raise Http404("there is no such widget")
    response = _answer(request, Asked(frame.customer, _topic(request), frame, at))
    return framing.allow(response, framing.origins(frame.key))


@require_safe
@cache_control(public=True, max_age=3600)
def loader(request: HttpRequest) -> HttpResponse:
    """The script that frames the form in a page."""
    response = HttpResponse(_loader(), content_type="text/javascript; charset=utf-8")
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@cache
def _loader() -> str:
    return (settings.BASE_DIR / "static" / "js" / "embed.js").read_text()


def _topic(request: HttpRequest) -> Topic | None:
    given = request.POST if request.method == "POST" else request.GET
    number = given.get("topic", "")
    if not is_number(number):
        return None
    return Topic.objects.filter(pk=int(number), is_active=True).first()


def _answer(request: HttpRequest, asked: Asked) -> HttpResponse:
    options: dict[str, Any] = {"customer": asked.customer, "topic": asked.topic}
    if request.method != "POST":
        shown = {"service": request.GET.get("service", "")[:253], "subject": request.GET.get("subject", "")[:200]}
        return _show(request, TicketForm(initial=shown, **options), asked)
    form = TicketForm(request.POST, request.FILES, **options)
    if not form.is_valid():
        return _refuse(request, form, asked, 422)
    try:
        conversation = web_form.submit(_submission(request, form, asked), at=asked.at)
    except web_form.StaleForm:
        form.add_error(None, _("This form had been open for very long. Nothing is lost: please send it again."))
        return _refuse(request, form, asked, 422)
    except web_form.TooMany:
        form.add_error(
            None, _("Very many forms came from you in a short time. Please try again later, or write a mail.")
        )
        return _refuse(request, form, asked, 429)
    except web_form.Blocked:
        form.add_error(None, _("We take no forms from this address."))
        return _refuse(request, form, asked, 403)
    spared.written_all_the_same(request.POST.get("asking", ""), conversation)
    query = {"ticket": signing.dumps(conversation.pk, salt=THANKS)}
    if asked.frame is not None:
        query["embedded"] = asked.frame.key
    where = f"{reverse('tickets:thanks')}?{urlencode(query)}"
    return JsonResponse({"url": where}) if _wants_json(request) else redirect(where)


def _submission(request: HttpRequest, form: TicketForm, asked: Asked) -> web_form.Submission:
    said, customer = form.cleaned_data, asked.customer
    return web_form.Submission(
        email=said["email"] if customer is None else customer.email,
        name=said["name"] if customer is None else customer.name,
        subject=said["subject"],
        message=said["message"],
        priority=said.get("priority", ""),
        service=said["service"],
        files=files_of(said["uploads"]),
        token=said["token"],
        remote=request.META.get("REMOTE_ADDR", ""),
        customer=customer,
        topic=asked.topic,
        custom=said["custom"],
    )


def _refuse(request: HttpRequest, form: TicketForm, asked: Asked, status: int) -> HttpResponse:
    """By script the words alone, so that files need not be chosen again."""
    if not _wants_json(request):
        return _show(request, form, asked, status)
    words = [str(word) for errors in form.errors.values() for word in errors]
    token = web_form.new_token(asked.at) if form.non_field_errors() else form.data.get("token", "")
    return JsonResponse({"troubles": words, "token": token}, status=status)


def _show(request: HttpRequest, form: TicketForm, asked: Asked, status: int = 200) -> HttpResponse:
    sent = form.data.get("token", "") if form.is_bound else ""
    # A form sent again keeps its number, so that two clicks stay one ticket; an overdue one gets a new one.
    token = sent if sent and not form.non_field_errors() else web_form.new_token(asked.at)
    service = str(form["service"].value() or "")[:253]
    topics = list(Topic.objects.filter(is_active=True))
    context = {
        "shell": "front/embedded.html" if asked.frame else "front/base.html",
        "form": form,
        "token": token,
        "asking": form.data.get("asking", "")[:32] if form.is_bound else "",
        "customer": asked.customer,
        "frame": asked.frame,
        "topics": topics,
        "topic": asked.topic,
        "chooses_topic": bool(topics) and asked.topic is None and not form.is_bound and "topic" not in request.GET,
        "query": _query(request, asked),
        "services": _services(asked.customer),
        "service": service,
        "situations": situations(),
        "errors": form.errors,
        "troubles": _troubles(asked.customer, service),
        "offer": None if asked.frame else import_string(settings.CHAT_OFFER)(asked.customer, at=asked.at),
    }
    return render(request, "front/new_ticket.html", context, status=status)


def _query(request: HttpRequest, asked: Asked) -> str:
    """What a link to the form with another topic keeps; a user's token is used up, `who` it was stays."""
    kept = {name: request.GET[name] for name in ("service", "subject", "key") if name in request.GET}
    return urlencode(kept)


def _services(customer: Customer | None) -> list[str]:
    if customer is None or customer.organization_id is None:
        return []
    rows = Service.objects.filter(organizations=customer.organization_id).order_by("name")
    return list(rows.values_list("name", flat=True)[:MOST_SERVICES])


def _troubles(customer: Customer | None, service: str) -> list[incidents.Trouble]:
    """What affects the customer first, then what everybody may know."""
    own = list(incidents.of_organization(customer.organization_id)) if customer is not None else []
    known = {one.url for one in own}
    return [*own, *(one for one in incidents.of_form(service) if one.url not in known)][:5]


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"
