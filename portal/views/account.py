"""The customer's own account: profile, ways to be known, mails, sessions, password, data."""

from zoneinfo import available_timezones

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.validators import validate_email
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from helpdesk.conversations.cleaning import one_line
from helpdesk.customers import mail_choices, sessions
from helpdesk.customers.models import Customer, CustomerSession
from helpdesk.desk.fields import zones
from portal import erasing, exporting, linking, passwords
from portal.access import customer_view
from portal.models import Erasure, Export, Linking, Password
from portal.rendering import page

ACCOUNT = "portal:account"


@require_safe
@customer_view
def account(request: HttpRequest, customer: Customer) -> HttpResponse:
    """All of it on one page."""
    return show(request, customer)


def show(request: HttpRequest, customer: Customer, *, status: int = 200, **context: object) -> HttpResponse:
    """The page, with what a form on it has just brought about."""
    at = now()
    here = sessions.session_of(request.COOKIES.get(sessions.COOKIE, ""), at=at)
    common: dict[str, object] = {
        "section": "account",
        "languages": settings.LANGUAGES,
        "zones": zones(),
        "identities": list(customer.identities.order_by("channel", "handle")),
        "waiting": Linking.objects.filter(customer=customer, channel="email", used_at=None, ends_at__gt=at).last(),
        "kinds": kinds(),
        "sessions": list(CustomerSession.objects.filter(customer=customer, ends_at__gt=at).order_by("-seen_at")[:50]),
        "own_session": here.pk if here else 0,
        "password": Password.objects.filter(customer=customer).first(),
        "export": Export.objects.filter(customer=customer).order_by("-asked_at").first(),
        "erasure": Erasure.objects.filter(customer=customer, done_at=None).first(),
        "code": "",
        "places": [],
        "wrong": {},
        "at": at,
    }
    return page(request, "account.jinja", status=status, **{**common, **context})


def kinds() -> list[tuple[str, str]]:
    """The mails that are the customer's to choose."""
    return [
        (mail_choices.RECEIVED, _("That you have my request, and when I can expect an answer")),
        (mail_choices.RATING, _("How it was, after a request is solved")),
        (mail_choices.SIGN_IN, _("That somebody signed in as me from a new browser")),
    ]


@require_POST
@customer_view
def profile(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Name, language, time zone."""
    name = one_line(request.POST.get("name", ""), 200)
    language, zone = request.POST.get("language", ""), request.POST.get("timezone", "").strip()
    if zone and zone not in available_timezones():
        return show(request, customer, status=422, wrong={"timezone": _("We do not know this time zone.")})
    customer.name = name
    customer.language = language if language in dict(settings.LANGUAGES) else ""
    customer.timezone = zone
    customer.save(update_fields=["name", "language", "timezone"])
    return _saved(request)


@require_POST
@customer_view
def mails(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Which mails are wanted."""
    wanted = set(request.POST.getlist("wanted"))
    customer.unwanted_mails = [kind for kind in mail_choices.KINDS if kind not in wanted]
    customer.save(update_fields=["unwanted_mails"])
    return _saved(request)


@require_POST
@customer_view
def add_address(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Mail a code to one more address."""
    address = request.POST.get("address", "").strip()
    try:
        validate_email(address)
        linking.ask_for_address(customer, address, at=now())
    except ValidationError:
        return show(request, customer, status=422, wrong={"address": _("That is no e-mail address.")})
    except linking.TooMany:
        return show(request, customer, status=429, wrong={"address": _("That is enough for today.")})
    messages.success(request, _("A code is on its way to this address. Type it below."))
    return redirect(f"{_url()}#identities")


@require_POST
@customer_view
def confirm_address(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    """The code from that mail."""
    try:
        linking.confirm_address(customer, pk, request.POST.get("code", ""), at=now())
    except linking.NotGood:
        return show(request, customer, status=422, wrong={"code": _("That is not the code, or it is too old.")})
    except linking.Taken:
        words = _("This address belongs to another account with us. Write to us, and we join the two.")
        return show(request, customer, status=409, wrong={"code": words})
    return _saved(request)


@require_POST
@customer_view
def add_account(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show a code to be sent from Telegram, X and the like."""
    try:
        at = now()
        code = linking.code_for(customer, at=at)
        return show(request, customer, code=code, places=import_string(settings.PLACES)(at=at))
    except linking.TooMany:
        return show(request, customer, status=429, wrong={"address": _("That is enough for today.")})


@require_POST
@customer_view
def remove_identity(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    """Be no longer known by it."""
    if not linking.unlink(customer, pk):
        messages.error(request, _("Our answers go there: it stays."))
        return redirect(f"{_url()}#identities")
    return _saved(request)


@require_POST
@customer_view
def end_session(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    """Sign out another browser."""
    CustomerSession.objects.filter(pk=pk, customer=customer).delete()
    return _saved(request)


@require_POST
@customer_view
def end_sessions(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Sign out everywhere, here as well."""
    sessions.end_all(customer)
    response = redirect("portal:home")
    response.delete_cookie(sessions.COOKIE, samesite="Lax")
    return response


@require_POST
@customer_view
def password(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Set a password, or remove it where nothing is given and `remove` is. Other browsers are signed out."""
    if "remove" in request.POST:
        passwords.remove(customer, at=now())
        return _saved(request)
    try:
        passwords.set_password(customer, request.POST.get("password", "")[:1000], at=now())
    except ValidationError as error:
        return show(request, customer, status=422, wrong={"password": " ".join(error.messages)})
    here = sessions.session_of(request.COOKIES.get(sessions.COOKIE, ""), at=now())
    CustomerSession.objects.filter(customer=customer).exclude(pk=here.pk if here else 0).delete()
    return _saved(request)


@require_POST
@customer_view
def ask_export(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Have one's data packed."""
    try:
        exporting.ask(customer, at=now())
    except exporting.TooSoon:
        messages.info(request, _("It was asked for within a day already. A mail tells you when it is there."))
    else:
        messages.success(request, _("We pack it now. A mail tells you when it is there."))
    return redirect(f"{_url()}#data")


@require_safe
@customer_view
def export(request: HttpRequest, customer: Customer, token: str) -> HttpResponseBase:
    """The packed data, for its customer alone."""
    found = exporting.find(customer, token, at=now())
    if found is None or not default_storage.exists(found.path):
        raise Http404("there is none for this customer")
    stored = default_storage.open(found.path)
    answer = FileResponse(stored, as_attachment=True, filename="my-data.zip", content_type="application/zip")
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@require_POST
@customer_view
def ask_erasure(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Ask to be forgotten; `sure` must be ticked."""
    if "sure" not in request.POST:
        return show(request, customer, status=422, wrong={"erasure": _("Please tick that you are sure.")})
    erasing.ask(customer, at=now())
    return redirect(f"{_url()}#data")


@require_POST
@customer_view
def take_erasure_back(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Do not forget me after all."""
    erasing.take_back(customer.pk, at=now())
    return _saved(request)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def keep(request: HttpRequest, token: str) -> HttpResponse:
    """The mailed way back, without signing in: GET shows a button, POST takes it back."""
    found = erasing.find(token)
    if request.method == "POST" and found is not None:
        erasing.take_back(found.pk, at=now())
        return page(request, "kept.jinja", state="kept")
    state = "gone" if found is None else "asks"
    return page(request, "kept.jinja", status=410 if found is None else 200, state=state)


def _url() -> str:
    return reverse(ACCOUNT)


def _saved(request: HttpRequest) -> HttpResponse:
    messages.success(request, _("Saved."))
    return redirect(ACCOUNT)
