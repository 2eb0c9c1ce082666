"""Who is on call: now, in the next two weeks, and standing in."""

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.customers.agents import offered
from helpdesk.customers.models import User
from helpdesk.events.actors import Actor
from helpdesk.oncall import feeds, rotas
from helpdesk.oncall.models import Schedule
from tickets.desk import rota_picture
from tickets.desk.rendering import page
from tickets.forms import StandInForm
from tickets.views.access import AgentRequest, agent_view
from tickets.zones import known_zone


@require_GET
@agent_view
def overview(request: AgentRequest) -> HttpResponse:
    return _show(request, StandInForm())


@require_POST
@agent_view
def stand_in(request: AgentRequest) -> HttpResponse:
    form = StandInForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    said = form.cleaned_data
    try:
        actor = Actor.agent(request.user)
        rotas.stand_in(said["schedule"], said["user"], said["start"], said["end"], at=now(), actor=actor)
    except IntegrityError:
        form.add_error("start", _("Somebody stands in already at that time."))
        return _show(request, form, status=422)
    messages.success(request, _("%s stands in.") % said["user"])
    return redirect("tickets:on_call")


def _show(request: AgentRequest, form: StandInForm, status: int = 200) -> HttpResponse:
    at = now()
    people = offered(request.user.pk)
    names = dict(User.objects.values_list("pk", "name"))
    schedules = [
        {**rota_picture.of_schedule(schedule, names, at), "feed": feeds.feed_url(schedule, request.user)}
        for schedule in Schedule.objects.select_related("fallback")
    ]
    zone = known_zone(request.user.timezone)
    return page(request, "on_call.jinja", status=status, schedules=schedules, people=people, form=form, zone=zone)
