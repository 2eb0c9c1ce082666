"""What happens by itself to quotes (CELERY_BEAT_SCHEDULE)."""

from celery import shared_task
from django.utils.timezone import now

from helpdesk.events.actions import beat
from quotes import dues


@shared_task(name="quotes.tasks.sweep_quotes", expires=50)
def sweep_quotes() -> int:
    """Remind of quotes that end soon, and end those whose time is over."""
    at = now()
    beat("sweep_quotes", at=at)
    return dues.sweep(at)
