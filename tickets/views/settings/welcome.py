"""The first run: the first admin, then company, mailbox, team, hours and on-call in five short steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from helpdesk.customers import audit
from helpdesk.customers.company import Company, company
from helpdesk.customers.models import Team, User
from helpdesk.desk import fields
from helpdesk.desk.forms import SettingsForm, Words
from helpdesk.oncall.models import Schedule
from helpdesk.people import second_factor
from tickets.desk.rendering import page
from tickets.models import ImapAccount, Mailbox
from tickets.views.access import AgentRequest
from tickets.views.settings import welcome_forms
from tickets.views.settings.access import admin_view
from tickets.views.settings.company import CompanyForm


@dataclass(frozen=True, slots=True)
class Step:
    """`there` finds what the step would make; the page then shows that instead of the form."""

    key: str
    title: Words
    about: Words
    icon: str
    form: type[SettingsForm]
    there: Callable[[], Model | None]
    area: str


STEPS: Final = (
    Step(
        "company",
        _("Your company"),
        _("Its name stands in front of customers and in their mail."),
        "building-2",
        CompanyForm,
        lambda: None,
        "company",
    ),
    Step(
        "team",
        _("Your team"),
        _("Who answers. Colleagues may come later as well."),
        "users",
        welcome_forms.TeamStep,
        lambda: Team.objects.order_by("pk").first(),
        "teams",
    ),
    Step(
        "mailbox",
        _("Your mailbox"),
        _("Mail to this address becomes conversations."),
        "mail",
        welcome_forms.MailboxStep,
        lambda: Mailbox.objects.order_by("pk").first(),
        "mailboxes",
    ),
    Step(
        "hours",
        _("Your hours"),
        _("Promises are counted in opening hours. What comes in outside them may wake somebody."),
        "clock",
        welcome_forms.HoursStep,
        welcome_forms.office,
        "calendars",
    ),
    Step(
        "on-call",
        _("On call"),
        _("Who is called when something is urgent, and who when nobody answers."),
        "bell-ring",
        welcome_forms.OnCallStep,
        lambda: Schedule.objects.order_by("pk").first(),
        "schedules",
    ),
)
_KEYS: Final = tuple(step.key for step in STEPS)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def first(request: HttpRequest) -> HttpResponse:
    """The first admin, while there is nobody; afterwards the way to the steps."""
    if not nobody_is_there():
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return redirect("tickets:welcome_step", _KEYS[0])
    given = request.POST if request.method == "POST" else None
    form = welcome_forms.FirstAdminForm(request, None, given, initial={"token": request.GET.get("token", "")[:100]})
    if form.is_bound and form.is_valid():
        with transaction.atomic():
            admin = form.save(at=now())
            if admin is None:
                transaction.set_rollback(True)
        if admin is not None:
            login(request, admin, backend=settings.AUTHENTICATION_BACKENDS[0])
            second_factor.note_login(request.session, admin)
            return redirect("tickets:welcome_step", _KEYS[0])
    return _show(request, "first", form)


@admin_view
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: AgentRequest, key: str) -> HttpResponse:
    if key not in _KEYS:
        raise Http404
    here = STEPS[_KEYS.index(key)]
    there = here.there()
    following = _after(key)
    if request.method != "POST":
        return _show(
            request, "step", _form(here, request), step=here, there=there, following=following, before=_before(key)
        )
    if there is not None:
        return redirect(following)
    form = _form(here, request, request.POST)
    if form.is_valid():
        at = now()
        with transaction.atomic():
            saved = form.save(at=at)
            if saved is None:
                transaction.set_rollback(True)
            else:
                audit.record(request.user.pk, "created", saved, {}, audit.stored(saved), at=at)
        if saved is not None:
            return redirect(following)
    return _show(request, "step", form, step=here, there=None, following=following, before=_before(key))


def nobody_is_there() -> bool:
    return not User.objects.exists()


def _form(here: Step, request: AgentRequest, data: Any = None) -> SettingsForm:
    return here.form(request, company() if here.form is CompanyForm else None, data)


def _after(key: str) -> str:
    place = _KEYS.index(key) + 1
    return (
        reverse("tickets:welcome_step", args=[_KEYS[place]]) if place < len(_KEYS) else reverse("tickets:welcome_done")
    )


def _before(key: str) -> str:
    place = _KEYS.index(key) - 1
    return reverse("tickets:welcome_step", args=[_KEYS[place]]) if place >= 0 else ""


@admin_view
@require_GET
def done(request: AgentRequest) -> HttpResponse:
    """What is there, what is still to do."""
    return page(request, "settings/welcome_done.jinja", items=checklist(), menu=[], entry=None)


def checklist() -> list[dict[str, Any]]:
    """What a helpdesk wants before its first mail: each with whether it is there and where it is made."""
    named = Company.objects.filter(pk=1).exists()
    found: list[dict[str, Any]] = [
        {"words": one.title, "is_there": named if one.key == "company" else one.there() is not None, "name": one.area}
        for one in STEPS
    ]
    others = User.objects.filter(is_active=True).count() > 1
    found.append({"words": _("Colleagues are invited"), "is_there": others, "name": "agents"})
    fetched = ImapAccount.objects.exists()
    found.append({"words": _("Mail is fetched, or forwarded here"), "is_there": fetched, "name": "mailboxes"})
    return found


def _show(request: HttpRequest, name: str, form: SettingsForm, **context: Any) -> HttpResponse:
    problems = form.problems() if form.is_bound else []
    return page(
        request,
        f"settings/welcome_{name}.jinja",
        status=422 if problems else 200,
        form=form,
        problems=problems,
        steps=STEPS,
        zones=fields.zones(),
        **context,
    )


def routes() -> list[URLPattern]:
    return [
        path("desk/welcome/", first, name="welcome"),
        path("desk/welcome/done/", done, name="welcome_done"),
        path("desk/welcome/<slug:key>/", step, name="welcome_step"),
    ]
