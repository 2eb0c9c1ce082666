"""What happens by itself (CELERY_BEAT_SCHEDULE)."""

from celery import shared_task
from django.utils.timezone import now

from helpdesk.events.actions import beat
from helpdesk.ratings import asking


@shared_task(name="helpdesk.ratings.tasks.ask_for_ratings", expires=50)
def ask_for_ratings() -> int:
    """Ask customers whose conversation was solved a while ago."""
    at = now()
    beat("ask_for_ratings", at=at)
    return asking.sweep(at)
