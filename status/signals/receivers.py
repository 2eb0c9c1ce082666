"""What a monitoring system has called becomes signals, each as it is by its newest word."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from helpdesk.customers.services import mentioned_services
from helpdesk.events import hooks
from helpdesk.events.models import Event, Hook
from status import affecting
from status.models import Component, Signal, SignalSource
from status.rollup import ORDER
from status.signals import payloads

# Who turned so often within the hour flaps: it counts once it has kept still for longer.
FLAPS: Final = 5
WITHIN: Final = timedelta(hours=1)
STILL_FOR: Final = timedelta(minutes=15)


def apply(event: Event, at: datetime) -> None:
    """Read a stored call. What cannot be read is quarantined, with the reason."""
    hook = Hook.objects.get(pk=event.data["hook"])
    source = SignalSource.objects.filter(pk=hook.headers.get("source")).first()
    if source is None:
        hooks.quarantine(hook, "its source is no longer there")
        return
    try:
        alerts = payloads.read(source.kind, bytes(hook.body), hook.headers.get("content-type", ""))
    except payloads.Unreadable as error:
        hooks.quarantine(hook, str(error))
        return
    # In order, so that two calls with the same alerts wait for each other instead of both.
    for alert in sorted(alerts, key=lambda one: one.fingerprint):
        note(source, alert, heard_at=hook.received_at)
    hooks.finish(hook)


@transaction.atomic
def note(source: SignalSource, alert: payloads.Alert, *, heard_at: datetime) -> Signal | None:
    """Write down what one alert says; None where something newer is known. It is acted on when it has lasted."""
    fresh = {
        "title": alert.title,
        "text": alert.text,
        "state": alert.state,
        "is_firing": alert.is_firing,
        "since": heard_at,
        "turned_at": heard_at,
        "due_at": heard_at + timedelta(seconds=source.holds_seconds) if alert.is_firing else None,
    }
    signal, is_new = Signal.objects.select_for_update().get_or_create(
        source=source, fingerprint=alert.fingerprint, defaults=fresh
    )
    if not is_new and heard_at < signal.turned_at:
        return None
    if not is_new and signal.is_firing != alert.is_firing:
        _turn(signal, source, alert.is_firing, heard_at)
    elif not is_new and alert.is_firing and ORDER.index(alert.state) > ORDER.index(signal.state):
        signal.due_at = signal.due_at or heard_at + timedelta(seconds=source.holds_seconds)
    if alert.is_firing and not is_new:
        signal.title, signal.text, signal.state = alert.title, alert.text, alert.state
    signal.save()
    if alert.is_firing:
        signal.components.set(components_of(alert))
    return signal


def _turn(signal: Signal, source: SignalSource, is_firing: bool, at: datetime) -> None:
    is_again = at - signal.turned_at < WITHIN
    signal.turns = min(signal.turns + 1, 10_000) if is_again else 1
    signal.is_firing, signal.since, signal.turned_at = is_firing, at, at
    lasts = timedelta(seconds=source.holds_seconds)
    signal.due_at = at + (max(lasts, STILL_FOR) if signal.turns >= FLAPS else lasts)
    if is_firing and not is_again:
        signal.incident = None


def components_of(alert: payloads.Alert) -> list[int]:
    """Those it names outright, else those of the services that it names."""
    if alert.components:
        named = Q(public_id__in=alert.components)
        for name in alert.components:
            named |= Q(name__iexact=name)
        found = list(Component.objects.filter(named, is_group=False).values_list("pk", flat=True))
        if found:
            return found
    services = mentioned_services(" ".join((*alert.hosts, alert.title)), None)
    return _most_precise([service.pk for service in services])


def _most_precise(services: list[int]) -> list[int]:
    """The components of these services themselves; only where there are none those that they lie in."""
    own = Component.objects.filter(services__in=services, is_group=False).values_list("pk", flat=True).distinct()
    return list(own) or affecting.components_of(services)
