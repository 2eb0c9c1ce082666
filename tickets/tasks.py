"""What the workers do for mail."""

from celery import shared_task
from django.utils import timezone

from helpdesk.events.actions import beat
from tickets.mail import filing, imap


@shared_task(name="tickets.tasks.file_mail", expires=10)
def file_mail() -> int:
    at = timezone.now()
    beat("file_mail", at=at)
    return filing.file_accepted(at)


@shared_task(name="tickets.tasks.poll_mailboxes")
def poll_mailboxes() -> int:
    return imap.poll_mailboxes(at=timezone.now())
