"""Slack as an admin sees it: what is connected, how to connect it, and a test."""

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from chat import slack_checks, slack_manifest
from helpdesk.customers.company import company
from helpdesk.desk.pages import AgentRequest, admin_view, settings_page


@require_safe
@admin_view
def slack(request: AgentRequest) -> HttpResponse:
    """Slack is connected by the environment; what is set there shows, without the secrets."""
    context = {
        "is_connected": bool(settings.SLACK_BOT_TOKEN and settings.SLACK_CHANNEL),
        "given": [
            (name, bool(getattr(settings, name)), what)
            for name, what in (
                ("SLACK_BOT_TOKEN", ""),
                ("SLACK_CHANNEL", str(settings.SLACK_CHANNEL)[:80]),
                ("SLACK_SIGNING_SECRET", ""),
            )
        ],
        "tells_tickets": settings.SLACK_TICKETS,
        "trouble": slack_checks.latest_trouble(),
        "manifest": slack_manifest.manifest(settings.PUBLIC_URL, company().name),
        "events_url": settings.PUBLIC_URL + slack_manifest.EVENTS,
        "command": slack_manifest.COMMAND,
    }
    return settings_page(request, "slack", "slack", **context)


@require_POST
@admin_view
def try_slack(request: AgentRequest) -> HttpResponse:
    """Ask Slack, post a test message, and say part by part what works."""
    found, at = slack_checks.check(request.user.name or request.user.email), now()
    again, back = reverse("chat:try_slack"), reverse("chat:slack_settings")
    return settings_page(request, "checked", "slack", findings=found, at=at, again=again, back=back)
