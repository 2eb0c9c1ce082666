"""Is it alive, ready, keeping its promises? Facts for people and monitors, without secrets and without persons."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from helpdesk import metrics
from helpdesk.oncall import audit
from tickets.models import InboundEmail

UNFILED_LATE = timedelta(minutes=5)
AT_MOST = 1000
BROKER_SECONDS = 0.3

Report = dict[str, Any]


def readiness() -> tuple[bool, Report]:
    """Whether requests can be served. The broker is told of but not needed: promises are kept without it."""
    report: Report = {"database": "ok", "migrations": "ok", "broker": broker_state()}
    try:
        missing = _missing_migrations()
    except DatabaseError:
        return False, report | {"database": "not reached", "migrations": "unknown"}
    if missing:
        return False, report | {"migrations": f"{missing} not applied"}
    return True, report


def promises(at: datetime) -> tuple[bool, Report]:
    """Whether everything due is on time and somebody is there to do it; the findings say what is not."""
    try:
        findings = audit.findings(at)
    except DatabaseError:
        findings = {"database": "not reached"}
    return not findings, {"findings": findings}


def mail(at: datetime) -> tuple[bool, Report]:
    """Whether accepted mail is filed. Quarantined mail waits for a person and is only counted, up to AT_MOST."""
    try:
        last = InboundEmail.objects.order_by("-pk").values_list("received_at", flat=True).first()
        waiting = InboundEmail.objects.filter(state=InboundEmail.State.ACCEPTED).order_by("pk")
        oldest = waiting.values_list("received_at", "due_at").first()
        quarantined = InboundEmail.objects.filter(state=InboundEmail.State.QUARANTINED)[:AT_MOST].count()
    except DatabaseError:
        return False, {"database": "not reached"}
    due = oldest[1] if oldest else None
    return due is None or due > at - UNFILED_LATE, {
        "last_accepted": last.isoformat() if last else None,
        "oldest_unfiled": oldest[0].isoformat() if oldest else None,
        "quarantined": quarantined,
    }


def broker_state() -> str:
    """ "ok" or "not reached", within a moment."""
    try:
        client = redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=BROKER_SECONDS, socket_timeout=BROKER_SECONDS
        )
        with client:
            client.ping()
    except (redis.RedisError, OSError, ValueError):
        return "not reached"
    return "ok"


def _missing_migrations() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = set(cursor.fetchall())
    return len(_migrations() - applied)


@cache
def _migrations() -> frozenset[tuple[str, str]]:
    """Those of this release; squashed ones count as what they replace."""
    return frozenset(MigrationLoader(None).disk_migrations or {})


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody else."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    return _answer(readiness)


@require_safe
@never_cache
def paging(request: HttpRequest) -> HttpResponse:
    """503 when a clock, an outbox entry, a page or a heartbeat is late, or a promise is not armed."""
    return _answer(lambda: promises(timezone.now()))


@require_safe
@never_cache
def mail_intake(request: HttpRequest) -> HttpResponse:
    return _answer(lambda: mail(timezone.now()))


@require_safe
@never_cache
def prometheus(request: HttpRequest) -> HttpResponse:
    """Everything above in numbers, worked out now."""
    try:
        return HttpResponse(metrics.exposition(timezone.now()), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError:
        return HttpResponse("# the database is not reached\n", status=503, content_type="text/plain")


def _answer(look: Callable[[], tuple[bool, Report]]) -> HttpResponse:
    well, report = look()
    return JsonResponse({"status": "ok" if well else "not ok"} | report, status=200 if well else 503)
