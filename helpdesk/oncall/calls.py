"""Turning a page's step into messages: who is called, on which channel, when."""

import logging
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import transaction

from helpdesk.customers.models import User
from helpdesk.events.nudge import nudge
from helpdesk.oncall import rotas
from helpdesk.oncall.channels import pagers
from helpdesk.oncall.models import NotificationRule, Page, PageDelivery, Urgency
from helpdesk.oncall.quiet import QuietHours

logger = logging.getLogger(__name__)

DELIVER = "helpdesk.oncall.tasks.deliver_pages"
# Channels the whole team shares: told of every page, whoever is called.
SHARED = ("pagerduty", "slack")
# Without an own rule a person is written to at once; low urgency keeps out of the night.
QUIET_FROM, QUIET_UNTIL = "20:00", "08:00"


def call_step(page: Page, *, promised_at: datetime, at: datetime) -> None:
    """Write the messages of the page's current step and set when the next step follows. The caller saves the page.

    A step without anybody is skipped at once; where no step has anybody, every active agent is called.
    """
    steps = page.policy["steps"]
    people: list[User] = []
    rounds = 0
    while steps and rounds < len(steps):
        if page.step >= len(steps):
            page.step = 0
        people = _people(steps[page.step], at)
        if people:
            break
        page.step, rounds = page.step + 1, rounds + 1
    if not people:
        people = list(User.objects.filter(is_active=True))
    deliveries = [_shared(page, channel, promised_at, at) for channel in _shared_channels()]
    for person in people:
        deliveries += _personal(page, person, promised_at, at)
    PageDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    transaction.on_commit(lambda: nudge(DELIVER), robust=True)
    page.next_step_at = _next_step(page, at)


def _next_step(page: Page, at: datetime) -> datetime | None:
    """Low urgency wakes nobody, so it does not escalate; the clocks behind it will, if nobody looks in time."""
    steps, repeats = page.policy["steps"], page.policy["repeats"]
    if page.urgency == Urgency.LOW:
        return None
    finished = page.step + 1 >= max(len(steps), 1)
    if finished and repeats is not None and page.round + 1 >= len(steps) * (repeats + 1):
        return None
    delay = steps[page.step]["delay_seconds"] if steps else 300
    return at + timedelta(seconds=delay)


def _people(step: dict[str, int | None], at: datetime) -> list[User]:
    if step["schedule"] is not None:
        return [rotas.on_call(step["schedule"], at)]
    return list(User.objects.filter(pk=step["user"], is_active=True))


def _shared_channels() -> list[str]:
    configured = pagers()
    return [name for name in SHARED if name in configured]


def _shared(page: Page, channel: str, promised_at: datetime, at: datetime) -> PageDelivery:
    to = settings.SLACK_CHANNEL if channel == "slack" else "default"
    due = at if channel == "slack" or page.urgency == Urgency.HIGH else _after_quiet(None, page, at)
    return _delivery(page, channel, to, max(promised_at, due) if due > at else promised_at, due)


def _personal(page: Page, user: User, promised_at: datetime, at: datetime) -> list[PageDelivery]:
    rules = list(NotificationRule.objects.filter(user=user, urgency=page.urgency))
    if not rules:
        rules = [NotificationRule(user=user, urgency=page.urgency, channel="email", to=user.email)]
    deliveries = []
    for rule in rules:
        wait = timedelta(seconds=rule.delay_seconds)
        due = at + wait
        if page.urgency == Urgency.LOW:
            due = _after_quiet(rule, page, due, user)
        meant = promised_at + wait if due == at + wait else due
        deliveries.append(_delivery(page, rule.channel, rule.to, meant, due, user))
    return deliveries


def _after_quiet(rule: NotificationRule | None, page: Page, due: datetime, user: User | None = None) -> datetime:
    start = (rule and rule.quiet_from) or time.fromisoformat(QUIET_FROM)
    end = (rule and rule.quiet_until) or time.fromisoformat(QUIET_UNTIL)
    try:
        return QuietHours(user.timezone if user else settings.OFFICE_TIME_ZONE, start, end).until(due) or due
    except ValueError:
        # Quiet hours that make no sense must not cost a page: it leaves at once.
        logger.warning("quiet hours of %s make no sense; page %s is not held back", user, page.pk)
        return due


def _delivery(
    page: Page, channel: str, to: str, promised_at: datetime, due_at: datetime, user: User | None = None
) -> PageDelivery:
    return PageDelivery(
        page=page,
        user=user,
        channel=channel,
        to=to,
        action=PageDelivery.Action.TRIGGER,
        round=page.round,
        promised_at=promised_at,
        due_at=due_at,
    )


def tell_everyone(page: Page, action: str, *, at: datetime) -> None:
    """Drop the calls that have not left, and tell the channels that can take a call back what became of it."""
    calls = page.deliveries.filter(action=PageDelivery.Action.TRIGGER)
    calls.filter(state=PageDelivery.State.PENDING, attempts=0).update(state=PageDelivery.State.CANCELLED)
    told = calls.exclude(state=PageDelivery.State.CANCELLED).filter(channel__in=SHARED)
    places = set(told.values_list("channel", "to"))
    PageDelivery.objects.bulk_create(
        [
            PageDelivery(
                page=page, channel=channel, to=to, action=action, round=page.round, promised_at=at, due_at=at
            )
            for channel, to in places
        ],
        ignore_conflicts=True,
    )
    transaction.on_commit(lambda: nudge(DELIVER), robust=True)
