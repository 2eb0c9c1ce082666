"""What is done by the clock for customers."""

from celery import shared_task
from django.utils import timezone

from helpdesk.customers import plan_changes, sessions


@shared_task(name="helpdesk.customers.tasks.change_plans", expires=60)
def change_plans() -> int:
    """Carry out changes of plans that are due."""
    return plan_changes.sweep(timezone.now())


@shared_task(name="helpdesk.customers.tasks.forget_customer_sessions")
def forget_customer_sessions() -> int:
    """Remove sessions that are over."""
    return sessions.forget_ended(at=timezone.now())
