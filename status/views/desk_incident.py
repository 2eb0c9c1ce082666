"""One incident in the desk: what was said, what to say next, who has heard of it, and what can be changed."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.customers.permissions import may_work
from helpdesk.desk import markdown
from helpdesk.desk.pages import AgentRequest, agent_view, page
from status import amending, concerned, distributing, drafts, incidents, linking, maintenances
from status.incidents import Refused, Words
from status.models import Incident, IncidentUpdate
from status.views import asked, desk

_NEXT = {
    "investigating": "identified",
    "identified": "monitoring",
    "monitoring": "resolved",
    "resolved": "postmortem",
    "scheduled": "in_progress",
    "in_progress": "completed",
    "verifying": "completed",
}


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def incident(request: AgentRequest, public_id: str) -> HttpResponse:
    """GET shows it, POST says the next thing."""
    found, at = _found(public_id), now()
    if request.method != "POST":
        form = asked.WordsForm(kind=found.kind, at=at, initial={"status": _NEXT.get(found.status, found.status)})
        return _show(request, found, form, {}, at)
    form, chosen = asked.WordsForm(request.POST, kind=found.kind, at=at), asked.states_of(request.POST)
    if "preview" in request.POST or not form.is_valid():
        return _show(request, found, form, chosen, at, status=200 if "preview" in request.POST else 422)
    try:
        update = incidents.add_update(found, form.words(chosen), request.user, at=at)
    except Refused as error:
        form.add_error(None, str(error))
        return _show(request, found, form, chosen, at, status=422)
    messages.success(request, _("It is published.") if update.published_at else _("It is kept."))
    return redirect("status:desk_incident", public_id)


def _show(
    request: AgentRequest,
    found: Incident,
    form: asked.WordsForm,
    chosen: dict[int, str],
    at: datetime,
    *,
    status: int = 200,
) -> HttpResponse:
    waiting, said = desk.newest_first(found)
    progress = distributing.progress([one.pk for one in said], at=at)
    overlaps = []
    if found.scheduled_for and found.scheduled_until and not found.is_over:
        touched = [one.component_id for one in found.affected.all()]
        overlaps = maintenances.overlapping(touched, found.scheduled_for, found.scheduled_until, but=found.pk)
    return page(
        request,
        "status_incident.jinja",
        status=status,
        incident=found,
        form=form,
        problems=form.problems() if status == 422 else [],
        waiting=waiting,
        said=said,
        progress=progress,
        totals=linking.counts(found),
        overlaps=overlaps,
        shown=markdown.body,
        public_url=concerned.incident_url(found.pk, found.public_id) if found.published_at else "",
        may_work=may_work(request.user),
        at=at,
        **desk.compose(form, chosen),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def change(request: AgentRequest, public_id: str) -> HttpResponse:
    """Another name, impact or begin; of a maintenance another window, and what is said of that."""
    found = _found(public_id)
    form = _change_form(found, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            _change(found, form.cleaned_data, request)
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("status:desk_incident", public_id)
    title = _("Reschedule") if found.kind == Incident.Kind.MAINTENANCE else _("Change")
    return _form_page(request, found, form, title)


def _change_form(found: Incident, data: Any) -> asked.Asked:
    if found.kind == Incident.Kind.MAINTENANCE:
        names = ("name", "scheduled_for", "scheduled_until")
        return asked.MoveForm(data, initial={name: getattr(found, name) for name in names})
    initial = {"name": found.name, "impact": found.impact_override, "started_at": found.started_at}
    return asked.ChangeForm(data, initial=initial)


@transaction.atomic
def _change(found: Incident, given: dict[str, Any], request: AgentRequest) -> None:
    at, user = now(), request.user
    if found.kind == Incident.Kind.MAINTENANCE:
        amending.amend(found, user, name=given["name"], at=at)
        words = Words(found.status, given["body"], tells=given["tells"]) if given["body"].strip() else None
        maintenances.reschedule(found, given["scheduled_for"], given["scheduled_until"], user, words=words, at=at)
        return
    if given["impact"] != found.impact_override:
        incidents.override_impact(found, given["impact"], user, at=at)
    # The form knows minutes; what was not touched stays to the second.
    is_moved = given["started_at"] != found.started_at.replace(second=0, microsecond=0)
    amending.amend(found, user, name=given["name"], started_at=given["started_at"] if is_moved else None, at=at)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def cancel(request: AgentRequest, public_id: str) -> HttpResponse:
    """Call off a maintenance that has not begun."""
    found = get_object_or_404(Incident, public_id=public_id, kind=Incident.Kind.MAINTENANCE)
    form = asked.CancelForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            maintenances.cancel(found, request.user, given["body"], tells=given["tells"], at=now())
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("“%s” is called off.") % found)
            return redirect("status:desk")
    return _form_page(request, found, form, _("Call it off"), is_bad=True)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def correct(request: AgentRequest, public_id: str, update_id: str) -> HttpResponse:
    """Other words for an update; whoever was told already is not told again. What is not published is written anew."""
    update = _update(public_id, update_id)
    if update.published_at is None:
        return _rewrite(request, update, now())
    initial = {"body": update.body, "display_at": update.display_at}
    form = asked.CorrectionForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        is_moved = given["display_at"] != update.display_at.replace(second=0, microsecond=0)
        display_at = given["display_at"] if is_moved else None
        incidents.correct(update, given["body"], request.user, display_at=display_at, at=now())
        messages.success(request, _("Saved."))
        return redirect("status:desk_incident", public_id)
    return _form_page(request, update.incident, form, _("Correct"))


def _rewrite(request: AgentRequest, update: IncidentUpdate, at: datetime) -> HttpResponse:
    kind = update.incident.kind
    if request.method == "POST":
        form, chosen = asked.WordsForm(request.POST, kind=kind, at=at), asked.states_of(request.POST)
    else:
        form = asked.WordsForm(kind=kind, at=at, initial=asked.initial_of(update))
        chosen = {int(pk): state for pk, state in update.components.items()}
    if form.is_bound and form.is_valid() and "preview" not in request.POST:
        try:
            kept = drafts.rewrite(update, form.words(chosen), request.user, at=at)
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("It is published.") if kept.published_at else _("It is kept."))
            return redirect("status:desk_incident", update.incident.public_id)
    problems = form.problems() if form.is_bound and "preview" not in request.POST else []
    return page(
        request,
        "status_draft.jinja",
        status=422 if problems else 200,
        incident=update.incident,
        form=form,
        problems=problems,
        **desk.compose(form, chosen),
    )


@require_POST
@agent_view
def publish(request: AgentRequest, public_id: str, update_id: str) -> HttpResponse:
    """Let the world see a draft, or what has waited for its time."""
    incidents.publish(_update(public_id, update_id).pk, request.user, at=now())
    messages.success(request, _("It is published."))
    return redirect("status:desk_incident", public_id)


@require_POST
@agent_view
def discard(request: AgentRequest, public_id: str, update_id: str) -> HttpResponse:
    """Throw away what was never published, and the incident with its last words."""
    try:
        incidents.discard(_update(public_id, update_id), request.user, at=now())
    except Refused:
        messages.warning(request, _("It is published already: it can be corrected."))
    else:
        messages.success(request, _("It is thrown away."))
    is_there = Incident.objects.filter(public_id=public_id).exists()
    return redirect("status:desk_incident", public_id) if is_there else redirect("status:desk")


def _form_page(
    request: AgentRequest, found: Incident, form: asked.Asked, title: str, *, is_bad: bool = False
) -> HttpResponse:
    problems = form.problems() if form.is_bound else []
    status = 422 if problems else 200
    context = {"incident": found, "form": form, "title": title, "is_bad": is_bad, "problems": problems}
    return page(request, "status_form.jinja", status=status, **context)


def _found(public_id: str) -> Incident:
    return get_object_or_404(Incident.objects.prefetch_related("affected__component"), public_id=public_id)


def _update(public_id: str, update_id: str) -> IncidentUpdate:
    rows = IncidentUpdate.objects.select_related("incident")
    return get_object_or_404(rows, public_id=update_id, incident__public_id=public_id)
