"""What the workers do for the portal."""

from celery import shared_task
from django.utils import timezone

from portal import exporting, passwords, sign_in


@shared_task(name="portal.tasks.tidy")
def tidy() -> int:
    """Remove what is over: asked-for links, wrong passwords, packed data."""
    at = timezone.now()
    return sign_in.forget_ended(at=at) + passwords.forget_ended(at=at) + exporting.forget_ended(at=at)
