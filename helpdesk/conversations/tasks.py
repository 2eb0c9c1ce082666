"""What conversations do by themselves."""

from celery import shared_task
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.events.actions import beat


@shared_task
def wake_snoozed() -> int:
    """Bring back what was put off until now."""
    at = now()
    woken = conversations.wake_due(at)
    beat("wake_snoozed", at=at)
    return woken
