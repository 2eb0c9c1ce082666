"""What follows from events, for the rota and for providers' calls back."""

import logging
from datetime import datetime
from typing import Final

from django.db import transaction

from helpdesk.customers.models import User
from helpdesk.events import hooks
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event, Hook
from helpdesk.events.outcomes import DeliveryError
from helpdesk.events.payloads import UnreadablePayload
from helpdesk.oncall import paging, rotas, slack_people, told_of_pages
from helpdesk.oncall.models import Page, Schedule
from helpdesk.oncall.provider_messages import (
    SlackAction,
    parse_pagerduty,
    parse_slack_interaction,
)

logger = logging.getLogger(__name__)

NO_AGENT: Final = (
    "Sorry, I do not know you as an agent of the helpdesk, so this page is not acknowledged and goes on calling. "
    "The address of your Slack profile must be that of your login."
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


@outside
def apply_slack(event: Event, at: datetime) -> None:
    """Somebody pressed Acknowledge under a page in Slack. Only an agent's press counts; where Slack does not say who it
    is, that of anybody of our own workspace, since a page must be answerable.
    """
    hook = Hook.objects.get(pk=event.data["hook"])
    try:
        pressed = parse_slack_interaction(bytes(hook.body)) if hook.headers.get("kind") == "interactivity" else None
    except UnreadablePayload as error:
        hooks.quarantine(hook, str(error))
        return
    if pressed is None:
        hooks.finish(hook)
        return
    if not Page.objects.filter(pk=pressed.page_id).exists():
        hooks.quarantine(hook, f"there is no page {pressed.page_id}")
        return
    name = pressed.user_name or pressed.user_id
    try:
        user = _who_pressed(pressed, name)
    except slack_people.Stranger:
        logger.warning("%s is no agent of ours, and may not acknowledge page %s in Slack", name, pressed.page_id)
        hooks.finish(hook)
        slack_people.whisper(pressed.channel, pressed.user_id, NO_AGENT)
        return
    with transaction.atomic():
        paging.acknowledge(pressed.page_id, at=at, user=user, via=f"Slack ({name})")
        hooks.finish(hook)


def _who_pressed(pressed: SlackAction, name: str) -> User | None:
    """None where nobody knows. Raises Stranger."""
    if pressed.team and pressed.user_team and pressed.user_team != pressed.team:
        raise slack_people.Stranger
    try:
        return slack_people.agent_of(pressed.user_id, pressed.team)
    except (slack_people.Unsaid, DeliveryError) as error:
        logger.warning("Slack does not say who %s is: %s", name, error)
        return told_of_pages.agent(name, None)
