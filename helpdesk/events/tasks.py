"""What the workers do for the outbox."""

from celery import shared_task
from django.utils import timezone

from helpdesk.events import outbox
from helpdesk.events.actions import beat


@shared_task(name="helpdesk.events.tasks.drain_outbox", expires=10)
def drain_outbox() -> int:
    at = timezone.now()
    beat("worker", at=at)
    return outbox.drain(at)
