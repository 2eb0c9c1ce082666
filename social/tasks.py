"""What the workers do for the networks."""

import logging

from celery import shared_task
from django.utils import timezone

from helpdesk.events.actions import beat
from social import accounts, announcing, filing, media, moderating, polling, spending
from social.models import Account

logger = logging.getLogger(__name__)


@shared_task(name="social.tasks.file_arrivals", expires=10)
def file_arrivals() -> int:
    at = timezone.now()
    beat("file_arrivals", at=at)
    return filing.file_arrivals(at)


@shared_task(name="social.tasks.poll_accounts", expires=10)
def poll_accounts() -> int:
    return polling.poll_due(at=timezone.now())


@shared_task(name="social.tasks.fetch_media", expires=10)
def fetch_media() -> int:
    return media.fetch_due(at=timezone.now())


@shared_task(name="social.tasks.announce", expires=10)
def announce() -> int:
    return announcing.announce_due(at=timezone.now())


@shared_task(name="social.tasks.moderate", expires=10)
def moderate() -> int:
    return moderating.carry_out_due(at=timezone.now())


@shared_task(name="social.tasks.check_accounts", expires=600)
def check_accounts() -> int:
    """Whether our credentials are still good, and whether a new day has money again."""
    at = timezone.now()
    accounts.keep_environment(at=at)
    spending.resume(at=at)
    connected = Account.objects.filter(is_active=True).exclude(state=Account.State.NOT_CONNECTED)
    for account in connected:
        try:
            accounts.probe(account, at=at)
        except Exception as error:
            # What one network answers must not keep the others from being asked.
            logger.exception("account %s could not be asked", account.pk)
            detail = f"{error.__class__.__name__}: {error}"
            accounts.set_state(account.pk, Account.State.DEGRADED, detail, at=at)
    return len(connected)
