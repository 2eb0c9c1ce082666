"""How far an update has come among the subscribers, for agents."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from django.views.decorators.http import require_GET

from helpdesk.desk.pages import AgentRequest, agent_view, page
from status import distributing
from status.models import IncidentUpdate


@require_GET
@agent_view
def distribution(request: AgentRequest, public_id: str) -> HttpResponse:
    """Figures, rate and what is left, and who was not reached. With a script it follows by itself."""
    update = get_object_or_404(IncidentUpdate.objects.select_related("incident"), public_id=public_id)
    at = now()
    context: dict[str, Any] = {
        "update": update,
        "progress": distributing.progress([update.pk], at=at).get(update.pk),
        "failures": distributing.failures(update.pk),
        "at": at,
    }
    return page(request, "distribution.jinja", **context)
