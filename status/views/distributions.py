"""How far an update has come among the subscribers, for agents."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpdesk.customers.permissions import may_work
from helpdesk.desk.pages import AgentRequest, agent_view, page
from helpdesk.numbers import is_number
from status import distributing, notices
from status.models import IncidentUpdate


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def distribution(request: AgentRequest, public_id: str) -> HttpResponse:
    """Figures, rate and what is left, and who was not reached. With a script it follows by itself. POST `again`, a
    notice, tries that one once more.
    """
    update = get_object_or_404(IncidentUpdate.objects.select_related("incident"), public_id=public_id)
    at = now()
    if request.method == "POST":
        wanted = request.POST.get("again", "")
        if is_number(wanted) and notices.send_again(update.pk, int(wanted), at=at):
            messages.success(request, _("It is sent again."))
        return redirect("status:distribution", public_id)
    context: dict[str, Any] = {
        "update": update,
        "progress": distributing.progress([update.pk], at=at).get(update.pk),
        "failures": distributing.failures(update.pk),
        "may_work": may_work(request.user),
        "at": at,
    }
    return page(request, "distribution.jinja", **context)
