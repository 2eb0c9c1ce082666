"""What the workers do for the outbox."""

from celery import shared_task
from django.utils import timezone

from helpdesk.events import outbox, webhooks
from helpdesk.events.actions import beat


@shared_task(name="helpdesk.events.tasks.drain_outbox", expires=10)
def drain_outbox() -> int:
    at = timezone.now()
    beat("worker", at=at)
    return outbox.drain(at)


@shared_task(name=webhooks.DELIVER, expires=10)
def deliver_webhooks() -> int:
    return webhooks.deliver(timezone.now())


@shared_task(name="helpdesk.events.tasks.forget_webhook_deliveries")
def forget_webhook_deliveries() -> int:
    return webhooks.forget(timezone.now() - webhooks.KEPT)
