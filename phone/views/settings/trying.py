"""Try the account at Twilio, and say part by part what works."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_POST

from helpdesk.desk.pages import AgentRequest, admin_view, settings_page
from phone import checking


@require_POST
@admin_view
def try_twilio(request: AgentRequest) -> HttpResponse:
    at = now()
    again, back = reverse("phone:try_twilio"), reverse("tickets:settings_twilio")
    found = checking.check(at=at)
    return settings_page(request, "checked", "twilio", findings=found, at=at, again=again, back=back)
