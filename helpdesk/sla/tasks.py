"""What the workers do for promises."""

from celery import shared_task
from django.utils import timezone

from helpdesk.events.actions import beat
from helpdesk.sla import calendars, sweep


@shared_task(name="helpdesk.sla.tasks.sweep_clocks", expires=10)
def sweep_clocks() -> int:
    at = timezone.now()
    beat("sweep_clocks", at=at)
    return sweep.sweep(at)


@shared_task(name="helpdesk.sla.tasks.renew_holidays")
def renew_holidays() -> int:
    return calendars.renew_holidays(at=timezone.now())
