"""What goes wrong and what is planned, in the desk: the list, and how something new gets on it."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from helpdesk.customers.permissions import may_work
from helpdesk.desk import markdown
from helpdesk.desk.pages import AgentRequest, agent_view, page
from helpdesk.numbers import whole_number
from status import addresses, incidents, maintenances, proposals, rollup, wording
from status.incidents import Opening, Refused
from status.models import Component, Incident, IncidentTemplate, IncidentUpdate, Proposal, State
from status.views import asked

MOST: Final = 100
LONGEST_NAME: Final = 120
LATELY: Final = 20
LATELY_DAYS: Final = timedelta(days=30)
_FORMS: Final[dict[str, type[asked.IncidentForm | asked.MaintenanceForm | asked.PastForm]]] = {
    "incident": asked.IncidentForm,
    "maintenance": asked.MaintenanceForm,
    "past": asked.PastForm,
}


@require_safe
@agent_view
def overview(request: AgentRequest) -> HttpResponse:
    """What goes on, what is planned, what somebody should look at, and what was lately."""
    at = now()
    states = list(Component.objects.filter(is_group=False).values_list("state", flat=True))
    _indicator, description = rollup.overall(states)
    going = list(_rows().filter(resolved_at=None).order_by("scheduled_for", "-started_at", "-pk")[:MOST])
    over = _rows().filter(resolved_at__gt=at - LATELY_DAYS).order_by("-resolved_at", "-pk")[:LATELY]
    return page(
        request,
        "status.jinja",
        headline=wording.overall(description),
        tone=wording.TONES[rollup.worst(states)],
        broken=[one for one in going if one.kind == Incident.Kind.INCIDENT],
        planned=[one for one in going if one.kind == Incident.Kind.MAINTENANCE],
        over=over,
        proposals=[(one, proposals.words(one)) for one in proposals.waiting()[:MOST]],
        troubled=Component.objects.filter(is_group=False).exclude(state=State.OPERATIONAL).order_by("name")[:MOST],
        wording=wording,
        may_work=may_work(request.user),
        public_url=addresses.page_url(),
        at=at,
    )


def _rows() -> QuerySet[Incident]:
    return Incident.objects.prefetch_related("affected__component")


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def new(request: AgentRequest) -> HttpResponse:
    """An incident, a maintenance, or one written down afterwards (`as`); from a `template` or a `proposal`."""
    kind = request.GET.get("as", "")
    kind = kind if kind in _FORMS else "incident"
    at, proposal = now(), _proposal(request.GET.get("proposal", ""))
    if request.method != "POST":
        initial, chosen = _beginning(request, kind, proposal)
        return _ask(request, kind, _form(kind, at, initial=initial), chosen, proposal=proposal)
    chosen = asked.states_of(request.POST)
    form = _form(kind, at, data=request.POST)
    if not form.is_valid() or "preview" in request.POST:
        status = 422 if form.errors and "preview" not in request.POST else 200
        return _ask(request, kind, form, chosen, proposal=proposal, status=status)
    try:
        made = _open(request, form.opening(chosen), proposal, at)
    except proposals.Decided:
        messages.info(request, _("Somebody was quicker: this is decided already."))
        return redirect("status:desk")
    except Refused as error:
        form.add_error(None, str(error))
        return _ask(request, kind, form, chosen, proposal=proposal, status=422)
    messages.success(request, _("“%s” is published.") % made if made.published_at else _("“%s” is kept.") % made)
    return redirect("status:desk_incident", made.public_id)


def _form(kind: str, at: datetime, **options: Any) -> asked.IncidentForm | asked.MaintenanceForm | asked.PastForm:
    if kind == "past":
        return asked.PastForm(**options)
    found = asked.MaintenanceForm if kind == "maintenance" else asked.IncidentForm
    return found(kind=kind, at=at, **options)


def _beginning(request: AgentRequest, kind: str, proposal: Proposal | None) -> tuple[dict[str, Any], dict[int, str]]:
    """What the form is offered with: a template's words, or what a proposal is about."""
    template = whole_number(request.GET.get("template", ""))
    found = IncidentTemplate.objects.filter(pk=template).first() if template else None
    state = State.UNDER_MAINTENANCE if kind == "maintenance" else State.PARTIAL
    if found is not None:
        initial = {"name": found.title, "status": found.status, "body": found.body}
        return initial, dict.fromkeys(found.components.values_list("pk", flat=True), state.value)
    if proposal is not None:
        said = proposal.signal.state if proposal.signal else state.value
        # Why it was proposed is for us: a monitoring system's words do not belong on the page.
        name = _("Trouble with %(components)s") % {"components": proposal.component.name}
        return {"name": name}, {proposal.component_id: said}
    asked = " ".join(request.GET.get("name", "").replace("\x00", "").split())[:LONGEST_NAME]
    return ({"name": asked} if asked else {}), {}


def _proposal(number: str) -> Proposal | None:
    pk = whole_number(number)
    return Proposal.objects.select_related("component", "signal").filter(pk=pk, ended_at=None).first() if pk else None


def _open(request: AgentRequest, opening: Opening, proposal: Proposal | None, at: datetime) -> Incident:
    if opening.kind == Incident.Kind.MAINTENANCE:
        return maintenances.schedule(opening, request.user, at=at)
    if proposal is not None:
        return proposals.open_from(proposal.pk, opening, request.user, at=at)
    return incidents.open_incident(opening, request.user, at=at)


@require_POST
@agent_view
def join(request: AgentRequest, pk: int) -> HttpResponse:
    """It is about an incident that is known already."""
    incident = get_object_or_404(Incident, public_id=request.POST.get("incident", "")[:12])
    try:
        proposals.join(pk, incident, request.user, at=now())
    except proposals.Decided:
        messages.info(request, _("Somebody was quicker: this is decided already."))
    return redirect("status:desk_incident", incident.public_id)


@require_POST
@agent_view
def dismiss(request: AgentRequest, pk: int) -> HttpResponse:
    """It is no incident."""
    try:
        proposals.dismiss(pk, request.user, at=now())
    except proposals.Decided:
        messages.info(request, _("Somebody was quicker: this is decided already."))
    return redirect("status:desk")


def _ask(
    request: AgentRequest,
    kind: str,
    form: asked.Asked,
    chosen: dict[int, str],
    *,
    proposal: Proposal | None = None,
    status: int = 200,
) -> HttpResponse:
    is_maintenance = kind == "maintenance"
    templates = IncidentTemplate.objects.filter(kind="maintenance" if is_maintenance else "incident")
    return page(
        request,
        "status_new.jinja",
        status=status,
        kind=kind,
        form=form,
        problems=form.problems() if status == 422 else [],
        templates=[] if kind == "past" else templates[:MOST],
        proposal=proposal,
        overlaps=_overlaps(form, chosen) if is_maintenance else [],
        **compose(form, chosen),
    )


def _overlaps(form: asked.Asked, chosen: dict[int, str]) -> list[Incident]:
    given = getattr(form, "cleaned_data", {})
    begins, ends = given.get("scheduled_for"), given.get("scheduled_until")
    return maintenances.overlapping(chosen, begins, ends) if begins and ends else []


def compose(form: asked.Asked, chosen: dict[int, str]) -> dict[str, Any]:
    """What every page needs on which something is written: components with their states, and the text as it will be."""
    body = str(form["body"].value() or "") if "body" in form.fields else ""
    return {
        "lines": asked.lines(chosen),
        "wording": wording,
        "preview": markdown.body(body) if form.is_bound and body.strip() else "",
    }


def newest_first(incident: Incident, most: int = 200) -> tuple[list[IncidentUpdate], list[IncidentUpdate]]:
    """What is not published yet, and what is, reminders included."""
    rows = incident.updates.select_related("created_by").prefetch_related("affected__component")
    waiting = list(rows.filter(published_at=None).order_by("publish_at", "pk")[:most])
    return waiting, list(rows.filter(published_at__isnull=False).order_by("-display_at", "-pk")[:most])
