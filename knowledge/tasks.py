"""What the knowledge base does by itself."""

from celery import shared_task
from django.utils import timezone

from knowledge import commenting, searched, suggesting


@shared_task
def forget_readers() -> int:
    """Remove spam, searched words and suggestions of long ago; how many rows."""
    at = timezone.now()
    return commenting.forget_spam(at=at) + searched.forget(at=at) + suggesting.forget(at=at)
