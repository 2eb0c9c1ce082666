"""What the workers do for logins."""

from celery import shared_task
from django.utils import timezone

from helpdesk.people import sessions


@shared_task(name="helpdesk.people.tasks.forget_sessions")
def forget_sessions() -> None:
    sessions.forget_expired(at=timezone.now())
