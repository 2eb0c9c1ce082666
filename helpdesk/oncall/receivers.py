"""What follows from events, for the rota and for providers' calls back."""

from datetime import datetime

from helpdesk.events import hooks
from helpdesk.events.models import Event, Hook
from helpdesk.events.payloads import UnreadablePayload
from helpdesk.oncall import paging, rotas, told_of_pages
from helpdesk.oncall.models import Page, Schedule
from helpdesk.oncall.provider_messages import (
    parse_pagerduty,
    parse_slack_interaction,
)


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
        told_of_pages.hear(told, at=at)
    hooks.finish(hook)


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
        paging.acknowledge(pressed.page_id, at=at, user=told_of_pages.agent(name, None), via=f"Slack ({name})")
    hooks.finish(hook)
