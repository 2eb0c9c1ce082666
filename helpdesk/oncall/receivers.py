"""What follows from events, for the rota and for providers' calls back."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from helpdesk.customers.models import User
from helpdesk.events import hooks
from helpdesk.events.models import Event, Hook
from helpdesk.oncall import paging, rotas
from helpdesk.oncall.models import Page, Schedule
from helpdesk.oncall.pagers import pagerduty_dedup_key
from helpdesk.oncall.provider_messages import (
    PagerDutyEvent,
    UnreadablePayload,
    parse_pagerduty,
    parse_slack_interaction,
)

logger = logging.getLogger(__name__)

# How far the provider's clock may be behind ours.
SKEW = timedelta(seconds=5)
# PagerDuty tells us of our own resolutions too, without naming a person; they come back within this.
ECHO_WITHIN = timedelta(minutes=10)


def plan_shifts(event: Event, at: datetime) -> None:
    """A rota was changed: plan it again from now on."""
    for schedule in Schedule.objects.filter(pk=event.data["schedule"]):
        rotas.plan(schedule, at=at)


def apply_pagerduty(event: Event, at: datetime) -> None:
    """Do to our page what was done to its incident in PagerDuty."""
    hook = Hook.objects.select_for_update().get(pk=event.data["hook"])
    try:
        told = parse_pagerduty(bytes(hook.body))
    except UnreadablePayload as error:
        hooks.quarantine(hook, str(error))
        return
    if told is not None and told.dedup_key:
        apply_told(told, at=at)
    hooks.finish(hook)


@transaction.atomic
def apply_told(told: PagerDutyEvent, *, at: datetime) -> None:
    """Only to an open page, only if it is news: older words than we have heard, words about an earlier page of the same
    key and the echo of what we did ourselves change nothing, in whatever order they come.
    """
    page = _open_pages(told.dedup_key).select_for_update(no_key=True).first()
    if page is None or told.occurred_at < page.triggered_at - SKEW:
        return
    if page.told_at is not None and told.occurred_at < page.told_at:
        return
    if not told.agent_name and _is_echo(page, told):
        return
    Page.objects.filter(pk=page.pk).update(told_at=told.occurred_at)
    user, via = _agent(told.agent_name, told.agent_email), f"PagerDuty ({told.agent_name or 'nobody named'})"
    if told.type == "incident.acknowledged":
        paging.acknowledge(page.pk, at=at, user=user, via=via)
    elif told.type == "incident.resolved":
        paging.resolve(page.pk, at=at, user=user, why=via)
    elif told.type in ("incident.unacknowledged", "incident.reopened"):
        paging.unacknowledge(page.pk, at=at, via=via)


def _open_pages(incident_key: str) -> QuerySet[Page]:
    """A key PagerDuty was given shortened is found by its beginning."""
    key = Q(dedup_key=incident_key)
    if len(incident_key) == 255:
        candidates = Page.objects.filter(~Q(state=Page.State.RESOLVED), dedup_key__startswith=incident_key[:190])
        key |= Q(pk__in=[page.pk for page in candidates if pagerduty_dedup_key(page.dedup_key) == incident_key])
    return Page.objects.filter(key, ~Q(state=Page.State.RESOLVED))


def _is_echo(page: Page, told: PagerDutyEvent) -> bool:
    earlier = Page.objects.filter(dedup_key=page.dedup_key, state=Page.State.RESOLVED)
    return earlier.filter(resolved_at__gte=told.occurred_at - ECHO_WITHIN).exists()


def apply_slack(event: Event, at: datetime) -> None:
    """Somebody pressed Acknowledge under a page in Slack."""
    hook = Hook.objects.select_for_update().get(pk=event.data["hook"])
    try:
        pressed = parse_slack_interaction(bytes(hook.body)) if hook.headers.get("kind") == "interactivity" else None
    except UnreadablePayload as error:
        hooks.quarantine(hook, str(error))
        return
    if pressed is not None:
        if not Page.objects.filter(pk=pressed.page_id).exists():
            hooks.quarantine(hook, f"there is no page {pressed.page_id}")
            return
        name = pressed.user_name or pressed.user_id
        paging.acknowledge(pressed.page_id, at=at, user=_agent(name, None), via=f"Slack ({name})")
    hooks.finish(hook)


def _agent(name: str, email: str | None) -> User | None:
    """The one active agent of that address or that name, or whose address begins with that account name."""
    active = User.objects.filter(is_active=True)
    if email:
        found = active.filter(email__iexact=email).first()
        if found is not None:
            return found
    if not name:
        return None
    named = list(active.filter(Q(name__iexact=name) | Q(email__istartswith=f"{name}@"))[:2])
    return named[0] if len(named) == 1 else None
