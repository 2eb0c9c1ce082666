"""Slack's slash command calls here; what is said back only its author sees."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from chat import slack_commands
from helpdesk.events.bodies import body_of
from helpdesk.events.payloads import LARGEST_BODY, UnreadablePayload
from helpdesk.events.signatures import slack_v0


@csrf_exempt
@require_POST
def commands(request: HttpRequest) -> HttpResponse:
    """403 for a wrong signature, else always 200: Slack shows anything else as a failure of ours."""
    raw, at = body_of(request, LARGEST_BODY), timezone.now()
    if raw is None:
        return JsonResponse({"error": "the body is too large"}, status=413)
    timestamp, signature = (request.headers.get(f"X-Slack-{name}") for name in ("Request-Timestamp", "Signature"))
    if not slack_v0(settings.SLACK_SIGNING_SECRET, raw, timestamp, signature, at):
        return JsonResponse({"error": "the signature is wrong"}, status=403)
    try:
        words = slack_commands.answer(raw, at)
    except UnreadablePayload as error:
        return JsonResponse({"error": str(error)}, status=400)
    if not words:
        return HttpResponse(status=200)
    return JsonResponse({"response_type": "ephemeral", "text": words, "unfurl_links": False})
