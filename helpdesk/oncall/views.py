"""What PagerDuty and Slack may call, and the rota as a calendar feed.

A hook verifies the raw bytes, keeps them and answers; what they mean is worked out later. Without a configured secret
it stays shut.
"""

import json
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from helpdesk.customers.models import User
from helpdesk.events import hooks
from helpdesk.events.bodies import body_of
from helpdesk.events.payloads import LARGEST_BODY, UnreadablePayload
from helpdesk.events.signatures import pagerduty_v3, slack_v0
from helpdesk.oncall import feeds
from helpdesk.oncall.models import Schedule
from helpdesk.oncall.provider_messages import (
    parse_pagerduty,
    parse_slack_interaction,
    slack_challenge,
)


def _refuse(status: int, reason: str) -> JsonResponse:
    return JsonResponse({"error": reason}, status=status)


_TOO_LARGE = "the body is too large"


@csrf_exempt
@require_POST
def pagerduty(request: HttpRequest) -> HttpResponse:
    """Webhooks v3. 400 without signature or body, 403 for a wrong signature, else 202 at once.

    Never a 4xx for what we cannot read: three in a row make PagerDuty close the subscription for a day.
    """
    raw, signature = body_of(request, LARGEST_BODY), request.headers.get("X-PagerDuty-Signature")
    if raw is None:
        return _refuse(413, _TOO_LARGE)
    if not raw or not signature:
        return _refuse(400, "a signed body is expected")
    if not pagerduty_v3(settings.PAGERDUTY_WEBHOOK_SECRET, raw, signature):
        return _refuse(403, "the signature is wrong")
    error = _error(parse_pagerduty, raw)
    external_id = request.headers.get("X-Webhook-Id", "")[:200].replace("\x00", "") or _event_id(raw)
    hooks.store("pagerduty", external_id, raw, _kept_headers(request), at=timezone.now(), error=error)
    return JsonResponse({"status": "quarantined" if error else "accepted"}, status=202)


@csrf_exempt
@require_POST
def slack_interactivity(request: HttpRequest) -> HttpResponse:
    """A button was pressed. Slack wants an empty 200 within three seconds."""
    raw, at = body_of(request, LARGEST_BODY), timezone.now()
    if raw is None:
        return _refuse(413, _TOO_LARGE)
    if not _is_from_slack(request, raw, at):
        return _refuse(403, "the signature is wrong")
    error = _error(parse_slack_interaction, raw)
    headers = {**_kept_headers(request), "kind": "interactivity"}
    hooks.store("slack", hooks.digest_id(raw), raw, headers, at=at, error=error)
    return HttpResponse(status=202 if error else 200)


@csrf_exempt
@require_POST
def slack_events(request: HttpRequest) -> HttpResponse:
    """Slack verifies the address, and sends the events the app has subscribed to."""
    raw, at = body_of(request, LARGEST_BODY), timezone.now()
    if raw is None:
        return _refuse(413, _TOO_LARGE)
    if not _is_from_slack(request, raw, at):
        return _refuse(403, "the signature is wrong")
    error = _error(slack_challenge, raw)
    challenge = None if error else slack_challenge(raw)
    if challenge is not None:
        return JsonResponse({"challenge": challenge})
    headers = {**_kept_headers(request), "kind": "event"}
    hooks.store("slack", _event_id(raw), raw, headers, at=at, error=error)
    return HttpResponse(status=202 if error else 200)


def _is_from_slack(request: HttpRequest, raw: bytes, at: datetime) -> bool:
    timestamp, signature = (request.headers.get(f"X-Slack-{name}") for name in ("Request-Timestamp", "Signature"))
    return slack_v0(settings.SLACK_SIGNING_SECRET, raw, timestamp, signature, at)


def _error(parse: Callable[[bytes], object], raw: bytes) -> str:
    try:
        parse(raw)
    except UnreadablePayload as error:
        return str(error)
    return ""


def _event_id(raw: bytes) -> str:
    """The event's own id (PagerDuty: event.id, Slack: event_id), or else the digest of the bytes."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return hooks.digest_id(raw)
    event = body.get("event") if isinstance(body, dict) else None
    found = [body.get("event_id")] if isinstance(body, dict) else []
    found += [event.get("id")] if isinstance(event, dict) else []
    ids = [value for value in found if isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()]
    return ids[0] if ids else hooks.digest_id(raw)


def _kept_headers(request: HttpRequest) -> dict[str, str]:
    names = ("Content-Type", "User-Agent", "X-Webhook-Id", "X-Slack-Retry-Num")
    return {name: request.headers[name][:300].replace("\x00", "") for name in names if name in request.headers}


@require_GET
def schedule_feed(request: HttpRequest, schedule_id: int) -> HttpResponse:
    """Who is on call in the next weeks, as iCalendar: for a logged-in agent, or with the token of a feed's address."""
    if not _may_read(request, schedule_id):
        return HttpResponse("This calendar's address is not valid.\n", status=403, content_type="text/plain")
    schedule = get_object_or_404(Schedule, pk=schedule_id)
    try:
        feed = feeds.calendar(schedule, at=timezone.now())
    except ValueError as error:
        raise Http404(f"this rota cannot be planned: {error}") from error
    response = HttpResponse(feed, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="on-call-{schedule.pk}.ics"'
    response["Cache-Control"] = "private, max-age=300"
    return response


def _may_read(request: HttpRequest, schedule_id: int) -> bool:
    if isinstance(request.user, User) and request.user.is_active:
        return True
    try:
        reader = feeds.reader(schedule_id, request.GET.get("token", ""))
    except signing.BadSignature:
        return False
    return User.objects.filter(pk=reader, is_active=True).exists()
