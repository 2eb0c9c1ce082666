"""What happens by itself on the status page (CELERY_BEAT_SCHEDULE)."""

import logging

from celery import shared_task
from django.utils.timezone import now

from helpdesk.events.actions import beat
from status import distributing, dues, exporting, proposals, sending, series, subscribing
from status.distributing import SEND
from status.signals import acting

logger = logging.getLogger(__name__)


@shared_task(name="status.tasks.sweep_incidents", expires=10)
def sweep_incidents() -> int:
    """Do what is due of incidents and maintenances."""
    at = now()
    beat("sweep_incidents", at=at)
    return dues.sweep(at)


@shared_task(name="status.tasks.sweep_signals", expires=10)
def sweep_signals() -> int:
    """Act on what monitoring systems have said and what has lasted."""
    at = now()
    beat("sweep_signals", at=at)
    return acting.sweep(at)


@shared_task(name="status.tasks.propose_incidents", expires=30)
def propose_incidents() -> int:
    """Propose an incident where many tickets come in on one component."""
    return proposals.find(now())


@shared_task(name="status.tasks.plan_maintenance", expires=3000)
def plan_maintenance() -> int:
    """Plan the windows of maintenance that comes again, sixty days ahead."""
    return series.plan_all(now())


@shared_task(name=SEND, expires=10)
def send_notices() -> int:
    """Tell subscribers what they have not been told yet."""
    at = now()
    beat("send_notices", at=at)
    return sending.send(at)


@shared_task(name="status.tasks.forget_subscribers")
def forget_subscribers() -> int:
    """Drop who never confirmed, who has ended it long ago, and who was told what a month ago."""
    at = now()
    return subscribing.forget(at=at) + distributing.forget(at - distributing.KEPT)


@shared_task(name="status.tasks.export_status", expires=60)
def export_status() -> int:
    """Write the page as files where that is wanted and there is news, whatever that was, or they would look old."""
    try:
        return exporting.export_if_due(now())
    except exporting.NotThere as error:
        logger.warning("the status page could not be exported: %s", error)
        return 0
