"""Every address of the settings, from the areas' own descriptions."""

from django.conf import settings
from django.http import HttpResponse
from django.urls import URLPattern, path
from django.utils.module_loading import import_string
from django.views.decorators.http import require_GET

from tickets.views.access import AgentRequest, agent_view
from tickets.views.settings import (
    automation,
    calendars,
    company,
    customers,
    generic,
    hooks,
    mail,
    on_call,
    own,
    people,
    promises,
    system,
    texts,
    topics,
    wallboards,
    welcome,
)

AREAS = (
    *own.AREAS,
    *mail.AREAS,
    *mail.HIDDEN,
    *people.AREAS,
    *customers.AREAS,
    *promises.AREAS,
    *calendars.AREAS,
    *on_call.AREAS,
    *texts.AREAS,
    topics.TOPICS,
    *automation.AREAS,
    *hooks.AREAS,
    *wallboards.AREAS,
    *(import_string(dotted) for dotted in settings.SETTINGS_AREAS),
)


@agent_view
@require_GET
def index(request: AgentRequest) -> HttpResponse:
    return generic.show(request, "index", "")


urlpatterns: list[URLPattern] = [
    path("desk/settings/", index, name="settings"),
    *own.routes(),
    *company.routes(),
    *system.routes(),
    *(route for area in AREAS for route in generic.routes(area)),
    *welcome.routes(),
]
