"""Reports: one page of charts and tables over a period, and each table as CSV."""

from typing import Any

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from helpdesk.conversations.models import Priority
from helpdesk.customers.agents import NoSuchAgent, called, offered
from helpdesk.customers.models import Organization, Plan, User
from helpdesk.customers.visibility import visible_teams
from tickets.desk.rendering import page
from tickets.reports import pictures, selection, tables, wording
from tickets.reports.selection import BadSelection, Selection
from tickets.views.access import AgentRequest, agent_view

# Past so many organizations their number is written instead of choosing a name.
MOST_NAMED = 500
CHANNELS = ("email", "form", "chat", "phone", "api")


@require_GET
@agent_view
def reports(request: AgentRequest) -> HttpResponse:
    """The whole report. What makes no sense is said above the usual one, with 400."""
    at, wrong = now(), ""
    try:
        chosen = selection.parse(_asked(request), at)
    except BadSelection as error:
        chosen, wrong = selection.parse({}, at), str(error)
    found = tables.report(chosen, request.user)
    return page(
        request,
        "reports.jinja",
        status=400 if wrong else 200,
        chosen=chosen,
        wrong=wrong,
        report=found,
        tables=found.tables,
        others=[table for key, table in found.tables.items() if key not in tables.OWN],
        tiles=pictures.tiles(found),
        pictures=pictures.pictures(found),
        say=wording.say,
        **_choices(request.user, chosen),
    )


@require_GET
@agent_view
def csv_file(request: AgentRequest, key: str) -> StreamingHttpResponse:
    """One table, sent line by line."""
    if key not in tables.KEYS:
        raise Http404
    try:
        chosen = selection.parse(_asked(request), now())
    except BadSelection as error:
        raise Http404 from error
    table = tables.report(chosen, request.user).tables[key]
    answer = StreamingHttpResponse(wording.csv_lines(table), content_type="text/csv; charset=utf-8")
    name = f"{key}-{chosen.start.isoformat()}-{chosen.end.isoformat()}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _asked(request: AgentRequest) -> dict[str, str]:
    """What the address asks for, an agent also by name. Raises BadSelection."""
    asked = {name: str(value) for name, value in request.GET.dict().items()}
    if name := asked.pop("agent_name", "").strip():
        try:
            asked["agent"] = str(called(name).pk)
        except NoSuchAgent as error:
            raise BadSelection("agent", _("Nobody here is called so.")) from error
    return asked


def _choices(user: User, chosen: Selection) -> dict[str, Any]:
    """What the filters offer."""
    people = offered(chosen.agent)
    organizations = list(Organization.objects.values_list("pk", "name")[: MOST_NAMED + 1])
    return {
        "periods": selection.periods(),
        "teams": [*visible_teams(user).values_list("pk", "name"), (0, _("No team"))],
        "channels": [*CHANNELS, *({chosen.channel} - {None, *CHANNELS})],
        "priorities": Priority.values,
        "plans": list(Plan.objects.values_list("pk", "name")),
        "organizations": organizations if len(organizations) <= MOST_NAMED else None,
        "agents": people.agents,
        "are_agents_many": people.are_many,
    }
