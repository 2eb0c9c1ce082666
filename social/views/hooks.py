"""Calls from the networks: raw bytes, checked against the secrets of our accounts, kept as one row, then answered."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from helpdesk.events import hooks
from helpdesk.events.bodies import body_of
from social import accounts, receivers
from social.network import network

LARGEST = 2 * 1024 * 1024  # bytes
_KEPT = ("Content-Type", "User-Agent", "X-Discourse-Event")


def hook(name: str) -> Callable[[HttpRequest], HttpResponse]:
    """The view of one network's webhook: GET is its handshake, POST what it tells. 403 where nothing fits."""

    @csrf_exempt
    @require_http_methods(["GET", "POST"])
    def view(request: HttpRequest) -> HttpResponse:
        return _challenge(request, name) if request.method == "GET" else _take(request, name)

    return view


def _challenge(request: HttpRequest, name: str) -> HttpResponse:
    way, query = network(name), {key: request.GET[key] for key in request.GET}
    for _account_id, connection in accounts.connections(name):
        answer = way.challenge(connection, query)
        if answer is not None:
            kind = "application/json" if answer.startswith("{") else "text/plain; charset=utf-8"
            return HttpResponse(answer, content_type=kind)
    return _refuse(403, "this is not the handshake of an account of ours")


def _take(request: HttpRequest, name: str) -> HttpResponse:
    raw, at, way = body_of(request, LARGEST), timezone.now(), network(name)
    if raw is None:
        return _refuse(413, "the body is too large")
    genuine = [
        account_id
        for account_id, connection in accounts.connections(name)
        if way.is_genuine(connection, raw, request.headers, at=at)
    ]
    if not genuine:
        return _refuse(403, "the signature is wrong")
    kept = {key: request.headers[key][:300].replace("\x00", "") for key in _KEPT if key in request.headers}
    told = {**kept, "accounts": ",".join(str(pk) for pk in genuine)}
    hooks.store(f"{receivers.PROVIDER}{name}", hooks.digest_id(raw), raw, told, at=at)
    return JsonResponse({"status": "accepted"})


def _refuse(status: int, why: str) -> HttpResponse:
    return JsonResponse({"error": why}, status=status)
