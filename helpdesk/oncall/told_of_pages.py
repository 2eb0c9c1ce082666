"""Doing to our pages what was done to them at a provider: heard in its calls, or read when we ask."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from helpdesk.customers.models import User
from helpdesk.oncall import paging
from helpdesk.oncall.models import Page
from helpdesk.oncall.pagers import pagerduty_dedup_key
from helpdesk.oncall.provider_messages import PagerDutyEvent, PagerDutyIncident

# How far the provider's clock may be behind ours.
SKEW = timedelta(seconds=5)
# PagerDuty tells us of our own resolutions too, without naming a person; they come back within this.
ECHO_WITHIN = timedelta(minutes=10)


@transaction.atomic
def hear(told: PagerDutyEvent, *, at: datetime) -> None:
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
    user, via = agent(told.agent_name, told.agent_email), _via(told.agent_name)
    if told.type == "incident.acknowledged":
        paging.acknowledge(page.pk, at=at, user=user, via=via)
    elif told.type == "incident.resolved":
        paging.resolve(page.pk, at=at, user=user, why=via)
    elif told.type in ("incident.unacknowledged", "incident.reopened"):
        paging.unacknowledge(page.pk, at=at, via=via)


@transaction.atomic
def read(page_id: int, incidents: list[PagerDutyIncident], *, at: datetime) -> bool:
    """Take over what became of a page's incidents; whether anything was news.

    Incidents older than the page belong to an earlier one of the same key. Resolved counts once none is left open (one
    page may be an incident in several services), acknowledged only by a person: our own acknowledgement, read back
    after it has lapsed here, must not silence the page again, and neither may a person's that we know already.
    """
    page = paging.lock(page_id)
    mine = [incident for incident in incidents if incident.created_at >= page.triggered_at - SKEW]
    if page.state == Page.State.RESOLVED or not mine:
        return False
    still_open = [incident for incident in mine if incident.is_open]
    if not still_open:
        last = max(mine, key=lambda incident: incident.changed_at)
        Page.objects.filter(pk=page.pk).update(told_at=last.changed_at)
        paging.resolve(page.pk, at=at, user=agent(last.changed_by, None), why=_via(last.changed_by))
        return True
    acknowledged = [(i.acknowledged_at, i.acknowledged_by) for i in still_open if i.acknowledged_at is not None]
    if page.state != Page.State.TRIGGERED or not acknowledged:
        return False
    when, who = max(acknowledged)
    if any(known is not None and when <= known + SKEW for known in (page.told_at, page.acknowledged_at)):
        return False
    Page.objects.filter(pk=page.pk).update(told_at=when)
    paging.acknowledge(page.pk, at=at, user=agent(who, None), via=_via(who))
    return True


def _via(name: str) -> str:
    return f"PagerDuty ({name or 'nobody named'})"


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


def agent(name: str, email: str | None) -> User | None:
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
