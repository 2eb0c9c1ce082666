"""What the workers do for mail."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from helpdesk.events.actions import beat
from tickets import limits
from tickets.desk import idle, rules
from tickets.mail import filing, imap
from tickets.reports import keeping

COUNTS_KEPT = timedelta(days=2)


@shared_task(name="tickets.tasks.file_mail", expires=10)
def file_mail() -> int:
    at = timezone.now()
    beat("file_mail", at=at)
    return filing.file_side_by_side(at)


@shared_task(name="tickets.tasks.poll_mailboxes")
def poll_mailboxes() -> int:
    return imap.poll_mailboxes(at=timezone.now())


@shared_task(name="tickets.tasks.forget_counts")
def forget_counts() -> int:
    return limits.forget(timezone.now() - COUNTS_KEPT)


@shared_task(name="tickets.tasks.find_idle", expires=60)
def find_idle() -> int:
    return idle.find_idle(timezone.now())


@shared_task(name="tickets.tasks.keep_figures", expires=60)
def keep_figures() -> int:
    return keeping.keep_figures()


@shared_task(name="tickets.tasks.forget_rule_runs")
def forget_rule_runs() -> int:
    return rules.forget(timezone.now() - rules.RUNS_KEPT)
