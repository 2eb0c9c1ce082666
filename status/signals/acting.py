"""Signals that have lasted propose or open incidents; when all is quiet again, what they have opened is resolved.

What a person has said something about is left to people. The words are our own: what a monitoring system writes is
for us, not for the world.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from status import affecting, incidents, proposals
from status.incidents import Opening, Words
from status.models import Component, Incident, IncidentComponent, Signal, SignalSource, State
from status.rollup import ORDER

logger = logging.getLogger(__name__)

MOST: Final = 200
AFTER_AN_ERROR: Final = timedelta(minutes=1)
DURING_MAINTENANCE: Final = timedelta(minutes=1)
Status = Incident.Status
# This room's among advisory locks.
_LOCK: Final = 7_150_501


def sweep(at: datetime) -> int:
    """Act on the signals that are due; how many. Two sweeps act on different ones."""
    done = 0
    due = Signal.objects.filter(due_at__lte=at).order_by("due_at", "pk").values_list("pk", flat=True)[:MOST]
    for pk in list(due):
        try:
            done += _act(pk, at)
        except Exception:
            # One that cannot be acted on must not keep the others waiting; it is logged and tried again.
            logger.exception("signal %s could not be acted on", pk)
            Signal.objects.filter(pk=pk, due_at__lte=at).update(due_at=at + AFTER_AN_ERROR)
    return done


@transaction.atomic
def _act(pk: int, at: datetime) -> bool:
    with connection.cursor() as cursor:
        # One at a time, so that two signals of one component open one incident.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    locked = Signal.objects.select_for_update(skip_locked=True, of=("self",)).select_related("source", "incident")
    signal = locked.filter(pk=pk, due_at__lte=at).first()
    if signal is None:
        return False
    with translation.override(settings.LANGUAGE_CODE):
        if not signal.source.is_active:
            signal.due_at = None
        elif signal.is_firing:
            signal.due_at = _fire(signal, at)
        else:
            signal.due_at = _end(signal, at)
    signal.save(update_fields=["due_at", "incident"])
    return True


def _fire(signal: Signal, at: datetime) -> datetime | None:
    """It lasts: when to look again, None when what could be done is done."""
    affected = {one.pk: one for one in signal.components.order_by("pk")}
    if not affected:
        return None  # nobody has said what of ours it is about: it stands in the list of signals
    if any(one.state == State.UNDER_MAINTENANCE for one in affected.values()):
        return at + DURING_MAINTENANCE
    known = _known(list(affected))
    if known is not None:
        signal.incident = known
        _worsen(known, signal.state, affected, at)
    elif signal.source.mode == SignalSource.Mode.OPEN:
        signal.incident = _open(signal, affected, at)
    else:
        for component in affected.values():
            proposals.of_signal(signal, component, at=at)
    return None


def _known(affected: Sequence[int]) -> Incident | None:
    going_on = Incident.objects.filter(affected__component__in=affected, resolved_at=None, published_at__isnull=False)
    return going_on.exclude(status=Status.SCHEDULED).order_by("pk").first()


def _open(signal: Signal, affected: Mapping[int, Component], at: datetime) -> Incident:
    names = affecting.listed([one.name for one in sorted(affected.values(), key=lambda one: one.position)])
    body = _("Our monitoring reports trouble with %(components)s. We are looking into it.") % {"components": names}
    words = Words(Status.INVESTIGATING, body, dict.fromkeys(affected, signal.state))
    name = _("Trouble with %(components)s") % {"components": names}
    return incidents.open_incident(Opening(name, words, started_at=min(signal.since, at)), None, at=at)


def _worsen(incident: Incident, state: str, affected: Mapping[int, Component], at: datetime) -> None:
    """What was opened by signals follows them: it affects more, or is worse. Nobody is written to for that."""
    if not is_left_to_signals(incident):
        return
    said = dict(IncidentComponent.objects.filter(incident=incident).values_list("component_id", "state"))
    worse = {pk: state for pk in affected if ORDER.index(state) > ORDER.index(said.get(pk, State.OPERATIONAL.value))}
    if worse:
        names = affecting.listed([affected[pk].name for pk in worse])
        body = _("It is worse, or affects more: %(components)s.") % {"components": names}
        incidents.add_update(incident, Words(incident.status, body, worse, tells=False), None, at=at)


def _end(signal: Signal, at: datetime) -> datetime | None:
    """It has been quiet for long enough."""
    proposals.forget(signal, at=at)
    incident = signal.incident
    if incident is None or incident.is_over or not is_left_to_signals(incident):
        return None
    # Its row is the lock by which of two last signals one sees the other quiet.
    locked = Incident.objects.select_for_update().get(pk=incident.pk)
    others = Signal.objects.filter(incident=locked, is_firing=True).exclude(pk=signal.pk)
    waiting = Signal.objects.filter(incident=locked, due_at__isnull=False).exclude(pk=signal.pk)
    if not others.exists() and not waiting.exists():
        body = _("Our monitoring reports that everything works again.")
        incidents.add_update(locked, Words(Status.RESOLVED, body), None, at=at)
    return None


def is_left_to_signals(incident: Incident) -> bool:
    """Whether signals have opened it and no person has said anything since."""
    if incident.kind != Incident.Kind.INCIDENT or incident.created_by_id is not None:
        return False
    return not incident.updates.filter(created_by__isnull=False).exists()
