"""What the social room's webhooks are compared with, for uvicorn: one Django view without middleware that checks the
signature and inserts one row.
"""

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from uuid import uuid4

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

SECRET = "bench-app-secret"
PATH = "/hooks/whatsapp/"
_KEEP = "INSERT INTO bare.mail (key, sender, raw) VALUES (%s, %s, %s)"
# Threads that stay, each with its connection: Django's own live for one request and leave theirs behind.
_THREADS = ThreadPoolExecutor(8)


async def hook(request: HttpRequest) -> HttpResponse:
    """Takes a call as plainly as it can be taken durably."""
    wanted = "sha256=" + hmac.new(SECRET.encode(), request.body, sha256).hexdigest()
    if not hmac.compare_digest(wanted, request.headers.get("X-Hub-Signature-256", "")):
        return HttpResponse(status=403)
    await asyncio.get_running_loop().run_in_executor(_THREADS, _keep, request.body)
    # What counts a body's bytes is a middleware, and there is none.
    return HttpResponse(b"{}", content_type="application/json", headers={"Content-Length": "2"})


def _keep(body: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [uuid4().hex, "whatsapp", body])


def alive(request: HttpRequest) -> HttpResponse:
    """Whether it has started."""
    return HttpResponse(b"{}")


urlpatterns = [path(PATH.lstrip("/"), hook), path("healthz/live", alive)]


def application() -> ASGIHandler:
    """Django with this module's one address and nothing around it."""
    django.setup(set_prefix=False)
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    return ASGIHandler()
