"""Lists and forms of all areas of the settings: one way to show, to save, to refuse, to remove."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.customers import audit
from helpdesk.desk import fields
from helpdesk.desk.areas import Act, Area
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.numbers import whole_number
from tickets.desk.rendering import page
from tickets.views.access import AgentRequest, agent_view, viewers_too
from tickets.views.settings import menu
from tickets.views.settings.access import admin_view

MAX_QUERY = 100
View = Callable[..., HttpResponseBase]


def show(request: AgentRequest, name: str, key: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A settings page, with the list of areas this agent may open."""
    entry = menu.entry(key) if key else None
    return page(
        request,
        f"settings/{name}.jinja",
        status=status,
        menu=menu.shown_to(request.user),
        entry=entry,
        zones=fields.zones(),
        **context,
    )


def routes(area: Area) -> list[URLPattern]:
    """The addresses of an area, each behind the right door."""
    base, name = f"desk/settings/{area.key}/", f"settings_{area.key}"
    if area.is_single:
        return [path(base, guarded(area, _single(area)), name=name), *area.more_routes()]
    found = [path(base, guarded(area, _list(area)), name=name)]
    if area.adds:
        found.append(path(f"{base}new/", guarded(area, _form(area)), name=f"{name}_new"))
    if area.edits:
        found.append(path(f"{base}<int:pk>/", guarded(area, _form(area)), name=f"{name}_edit"))
    if area.removes:
        found.append(path(f"{base}<int:pk>/delete/", guarded(area, _remove(area)), name=f"{name}_delete"))
    for act in area.acts:
        found.append(path(f"{base}<int:pk>/{act.name}/", guarded(area, _act(area, act)), name=f"{name}_{act.name}"))
    return [*found, *area.more_routes()]


def guarded(area: Area, view: View) -> View:
    if not area.is_own:
        return admin_view(view)
    return viewers_too(view) if area.viewers_send else agent_view(view)


def row_or_404(area: Area, request: AgentRequest, pk: int) -> Any:
    found = area.rows(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _list(area: Area) -> View:
    @require_GET
    def view(request: AgentRequest) -> HttpResponse:
        query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:MAX_QUERY]
        found = area.list(request.user, query, whole_number(request.GET.get("after", "")))
        above = area.above(request.user)
        may_add = area.adds and area.may_add(request.user)
        return show(request, "list", area.key, area=area, found=found, query=query, may_add=may_add, **above)

    return view


def _form(area: Area) -> View:
    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: AgentRequest, pk: int | None = None) -> HttpResponse:
        found = None if pk is None else row_or_404(area, request, pk)
        may_change = area.may_add(request.user) if found is None else area.may_change(request.user, found)
        if found is None and not may_change:
            raise PermissionDenied
        if request.method != "POST":
            form = area.form(request, found, initial=_asked(area, request) if found is None else {})
            return _edit(area, request, form, may_change=may_change)
        if not may_change:
            raise PermissionDenied
        form = area.form(request, found, request.POST, request.FILES)
        if "more" in request.POST or "preview" in request.POST:
            # The page again, with one part more or with what would come of it; nothing is saved.
            form.is_valid()
            return _edit(area, request, form, keeps_errors="preview" in request.POST)
        saved = save(area, request, form)
        if saved is None:
            return _edit(area, request, form, status=422)
        if form.shown_once:
            return show_once(request, area, saved, form.shown_once)
        messages.success(request, _("Saved."))
        return redirect(area.saved(request, saved) or area.name_of(""))

    return view


def show_once(request: AgentRequest, area: Area, found: Any, secret: str) -> HttpResponse:
    """A secret, this once: no browser keeps the page."""
    answer = show(request, "secret", area.key, area=area, found=found, secret=secret)
    answer["Cache-Control"] = "no-store"
    return answer


def _act(area: Area, act: Act) -> View:
    @require_POST
    def view(request: AgentRequest, pk: int) -> HttpResponse:
        found = row_or_404(area, request, pk)
        if not area.may_change(request.user, found):
            raise PermissionDenied
        try:
            with nullcontext() if act.calls_outside else transaction.atomic():
                secret = act.do(found, request.user, request.POST, now())
        except Refused as error:
            messages.error(request, str(error.words))
        else:
            if secret:
                return show_once(request, area, found, secret)
            messages.success(request, str(act.said))
        return redirect(area.name_of("edit"), pk)

    return view


def _single(area: Area) -> View:
    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: AgentRequest) -> HttpResponse:
        form = area.form(request, area.only(), request.POST if request.method == "POST" else None)
        if form.is_bound and save(area, request, form) is not None:
            messages.success(request, _("Saved."))
            return redirect(area.name_of(""))
        template = area.template.removeprefix("settings/").removesuffix(".jinja")
        return show_form(request, area.key, form, template=template, **area.beside(request, form.found, form))

    return view


def show_form(
    request: AgentRequest, key: str, form: SettingsForm, *, template: str = "form", **context: Any
) -> HttpResponse:
    """A page that is one form, without a list."""
    problems = form.problems() if form.is_bound else []
    return show(request, template, key, status=422 if problems else 200, form=form, problems=problems, **context)


def _asked(area: Area, request: HttpRequest) -> dict[str, str]:
    """Values a link gives a new row's form, such as the mailbox of an account."""
    return {name: str(value)[:200] for name, value in request.GET.items() if name in area.form.base_fields}


def save(area: Area, request: AgentRequest, form: SettingsForm) -> Any:
    """Check and write a form, and note the change; None where it was refused."""
    if not form.is_valid():
        return None
    at = now()
    with transaction.atomic():
        before = area.snapshot(form.found) if form.found is not None else {}
        saved = form.save(at=at)
        if saved is None:
            transaction.set_rollback(True)
            return None
        if area.is_noted_here and isinstance(saved, Model):
            action = "changed" if before else "created"
            audit.record(request.user.pk, action, saved, before, area.snapshot(saved), at=at)
    return saved


def _edit(
    area: Area,
    request: AgentRequest,
    form: SettingsForm,
    *,
    status: int = 200,
    may_change: bool = True,
    keeps_errors: bool = True,
) -> HttpResponse:
    beside = area.beside(request, form.found, form)
    return show(
        request,
        area.template.removeprefix("settings/").removesuffix(".jinja"),
        area.key,
        status=status,
        area=area,
        form=form,
        found=form.found,
        problems=form.problems() if form.is_bound and keeps_errors else [],
        may_change=may_change,
        **beside,
    )


def _remove(area: Area) -> View:
    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: AgentRequest, pk: int) -> HttpResponse:
        found = row_or_404(area, request, pk)
        if not area.may_change(request.user, found):
            raise PermissionDenied
        refused = ""
        if request.method == "POST":
            refused = remove(area, request, found)
            if not refused:
                messages.success(request, _("%s is removed.") % found)
                return redirect(area.removed(found) or area.name_of(""))
        status = 422 if refused else 200
        return show(request, "remove", area.key, status=status, area=area, found=found, pk=pk, refused=refused)

    return view


def remove(area: Area, request: AgentRequest, found: Any) -> str:
    """Remove a row and note it; why not, where it cannot be."""
    at, pk = now(), found.pk
    try:
        with transaction.atomic():
            before = area.snapshot(found)
            area.remove(found, request.user, at=at)
            if area.is_noted_here:
                audit.record(request.user.pk, "deleted", found, before, {}, at=at, thing_id=pk)
    except Refused as error:
        return str(error.words)
    except (ProtectedError, RestrictedError) as error:
        held = getattr(error, "protected_objects", None) or getattr(error, "restricted_objects", None) or ()
        names = ", ".join(sorted(str(one)[:60] for one in held)[:5])
        return _("It is still needed by: %s.") % names
    return ""
