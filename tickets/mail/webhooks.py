"""`/hooks/mail/<esp>/`: mail that an ESP received for us. Checked, kept raw, then answered; read later."""

import json
import logging
import re
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from tickets.mail import esp_checks, esp_fetch, ledger
from tickets.mail.esp_requests import Request
from tickets.mail.esps import ESPS, Esp
from tickets.mail.ledger import Arrived

logger = logging.getLogger(__name__)

# A mail of 35 MB in base64 in JSON, and room for its fields.
LARGEST_BODY: Final = 64 * 1024 * 1024
_SNS_HOST: Final = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")


@csrf_exempt
def receive_hook(request: HttpRequest, esp: str) -> HttpResponse:
    """One call of an ESP. 200 once committed; 403 unsigned; 503 where the ESP shall call again."""
    if esp not in ESPS:
        return _error(404, f"no e-mail provider named {esp[:40]!r} can send mail here")
    if request.method == "HEAD":
        return HttpResponse()  # some ask so whether the address exists
    if request.method != "POST":
        return _error(405, "POST only")
    body = request.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        return _error(413, "too big")
    call = Request(body, request.headers.get("Content-Type", ""), dict(request.headers))
    if esp == "amazon_ses" and "X-Amz-Sns-Message-Type" in request.headers and "Authorization" not in request.headers:
        # SNS sends its password only when asked for it.
        return _error(401, "authentication needed", {"WWW-Authenticate": 'Basic realm="mail"'})
    try:
        # Handed on as read above, so that neither Django's limits nor its decoding come between.
        request._body = body
        request.POST = call.as_post()  # type: ignore[assignment]
        esp_checks.check(esp, request)
    except (esp_checks.Refused, ValueError) as error:
        logger.warning("refused a call for %s: %s", esp, error)
        return _error(403, "not signed by the provider, or no secret is configured here")
    try:
        return _keep(esp, call, at=timezone.now())
    except (DatabaseError, InterfaceError, esp_fetch.NotFetched) as error:
        logger.warning("a call from %s shall come again: %s", esp, error)
        return _error(503, "try again later", {"Retry-After": "60"})


def _keep(esp: str, call: Request, *, at: datetime) -> HttpResponse:
    if esp == "amazon_ses":
        _confirm_subscription(call)
    ids = ledger.accept(_arrived(esp, ESPS[esp], call, at), at=at)
    return JsonResponse({"accepted": ids})


def _arrived(name: str, esp: Esp, call: Request, at: datetime) -> list[Arrived]:
    """The mails of one call; what cannot be read is kept as it came, to be looked at by a person."""
    try:
        items = esp.items(call)
    except Exception as error:  # noqa: BLE001 - quarantined with the reason; calling again would not help
        return [_unreadable(name, call.body, error, at)]
    mails = []
    for item in items:
        try:
            letter = esp.letter(item)
            if not letter.raw:
                raise ValueError("there is no mail in it")
            mails.append(Arrived(name, letter.raw, letter.mail_from, letter.rcpt_to, None, at))
        except esp_fetch.NotFetched:
            raise
        except Exception as error:  # noqa: BLE001 - quarantined with the reason; the other mails of the call go on
            mails.append(_unreadable(name, call.body if len(items) == 1 else _dumped(item, call), error, at))
    return mails


def _unreadable(name: str, body: bytes, error: Exception, at: datetime) -> Arrived:
    logger.warning("a call from %s cannot be read: %s", name, error)
    return Arrived(name, body, "", (), None, at, error=f"cannot be read: {error.__class__.__name__}: {error}")


def _dumped(item: Any, call: Request) -> bytes:
    return json.dumps(item).encode() if call.is_json else call.body


def _confirm_subscription(call: Request) -> None:
    """SNS asks once whether its notices are wanted; the secret in its call says that we asked for them."""
    try:
        notice = call.json()
        url = urlsplit(str(notice.get("SubscribeURL", "")))
    except ValueError:
        return
    if notice.get("Type") == "SubscriptionConfirmation":
        if url.scheme == "https" and _SNS_HOST.fullmatch(url.netloc):
            esp_fetch.get(url.geturl())
        else:
            logger.warning("an SNS subscription names a strange address: %s", url.netloc[:200])


def _error(status: int, reason: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse({"error": reason}, status=status, headers=headers)
