"""Where monitoring systems call: the address is the secret, the body is kept raw and read later."""

from uuid import uuid4

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from helpdesk.events import hooks
from helpdesk.events.bodies import body_of
from status.signals import payloads, sources


@csrf_exempt
@require_POST
def signal(request: HttpRequest, token: str) -> HttpResponse:
    """403 for an address that is nobody's, 413 for what is too large; else 202 once it is kept, also for what cannot be
    read, since sending it again would not help.
    """
    source = sources.of_token(token)
    if source is None:
        return JsonResponse({"error": "nobody's address"}, status=403)
    raw, kind = body_of(request, payloads.LARGEST), request.headers.get("Content-Type", "")[:200]
    if raw is None:
        return JsonResponse({"error": "the body is too large"}, status=413)
    error = _error(source.kind, raw, kind)
    # The same bytes may be another alarm an hour later; a signal heard twice is one signal.
    headers = {"source": str(source.pk), "content-type": kind}
    hooks.store("status", f"{source.pk}:{uuid4()}", raw, headers, at=now(), error=error)
    return JsonResponse({"status": "quarantined" if error else "accepted"}, status=202)


def _error(kind: str, raw: bytes, content_type: str) -> str:
    try:
        payloads.read(kind, raw, content_type)
    except payloads.Unreadable as error:
        return str(error)
    return ""
