"""What the workers do for the engineer on call. A task that waited too long is dropped: the next one is on its way."""

from celery import shared_task
from django.utils import timezone

from helpdesk.events.actions import beat
from helpdesk.oncall import audit, deliveries, paging, reconciling, reminders, rotas


@shared_task(name="helpdesk.oncall.tasks.escalate_pages", expires=10)
def escalate_pages() -> int:
    at = timezone.now()
    beat("escalate_pages", at=at)
    return paging.escalate(at)


@shared_task(name="helpdesk.oncall.tasks.deliver_pages", expires=10)
def deliver_pages() -> int:
    at = timezone.now()
    beat("deliver_pages", at=at)
    return deliveries.deliver(at)


@shared_task(name="helpdesk.oncall.tasks.plan_shifts")
def plan_shifts() -> int:
    at = timezone.now()
    beat("plan_shifts", at=at)
    return rotas.plan_ahead(at=at)


@shared_task(name="helpdesk.oncall.tasks.remind_of_rotas", expires=60)
def remind_of_rotas() -> int:
    return reminders.remind(at=timezone.now())


@shared_task(name="helpdesk.oncall.tasks.reconcile_pagerduty", expires=60)
def reconcile_pagerduty() -> int:
    return reconciling.reconcile(at=timezone.now())


@shared_task(name="helpdesk.oncall.tasks.audit_promises", expires=60)
def audit_promises() -> None:
    audit.audit(at=timezone.now())
