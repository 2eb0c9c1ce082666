"""What the workers do for the emergency phone by themselves."""

from celery import shared_task
from django.utils import timezone

from phone import accounts, reconciling


@shared_task(name="phone.tasks.reconcile_phone", expires=30)
def reconcile_phone() -> int:
    return reconciling.reconcile(at=timezone.now())


@shared_task(name="phone.tasks.probe_twilio", expires=600)
def probe_twilio() -> str:
    return accounts.probe(at=timezone.now()).state
