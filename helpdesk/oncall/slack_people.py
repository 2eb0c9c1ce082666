"""Who somebody in Slack is to us: an agent, by the address of their Slack profile.

https://docs.slack.dev/reference/methods/users.info, with the scopes users:read and users:read.email.
"""

import asyncio
import logging
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.cache import caches

from helpdesk.customers.models import User
from helpdesk.events.outcomes import DeliveryError, RetryLater
from helpdesk.events.provider_calls import provider_client
from helpdesk.oncall.pagers.slack_calls import SlackCalls

logger = logging.getLogger(__name__)

# Slack shows a slash command as failed after three seconds.
HURRY_SECONDS: Final = 2.0
KNOWN_SECONDS: Final = 600


class Stranger(Exception):
    """No agent: somebody of another workspace, a bot, somebody who left, or an address that is nobody's login."""


class Unsaid(Exception):
    """It is not said who it is: no Slack is connected, or the profile has no address that we may read."""


def agent_of(user: str, team: str, *, patiently: bool = True) -> User:
    """The agent whose login is the address of that profile. Raises Stranger, Unsaid, and a DeliveryError where Slack
    cannot be asked. Where somebody waits in front of Slack (not `patiently`) two seconds must do, and what was told is
    kept for minutes.
    """
    kept, key = caches["process"], f"slack:{sha256(f'{team}:{user}'.encode()).hexdigest()}"
    email = None if patiently else kept.get(key)
    if email is None:
        email = _address(user, team, None if patiently else HURRY_SECONDS)
        kept.set(key, email, KNOWN_SECONDS)
    agent = User.objects.filter(email__iexact=email, is_active=True).first()
    if agent is None:
        # Whoever is made one, or corrects their address, need not wait.
        kept.delete(key)
        raise Stranger
    return agent


def _address(user: str, team: str, within: float | None) -> str:
    if not _calls().is_configured:
        raise Unsaid
    said = async_to_sync(_ask)(user, within)
    profile = said.get("user")
    if not isinstance(profile, dict):
        raise Unsaid
    if profile.get("deleted") or profile.get("is_bot"):
        raise Stranger
    # Somebody of another workspace in a shared channel: their administrators, not ours, say what their address is.
    if team and profile.get("team_id") not in (None, team):
        raise Stranger
    details = profile.get("profile")
    email = details.get("email") if isinstance(details, dict) else None
    if not isinstance(email, str) or not email:
        raise Unsaid
    return email


def whisper(channel: str, user: str, words: str, *, thread_ts: str = "") -> None:
    """Said where only they see it. Best effort: what was done is done, and what was not is not."""
    thread = {"thread_ts": thread_ts} if thread_ts else {}
    try:
        async_to_sync(_whisper)({"channel": channel, "user": user, "text": words, **thread})
    except DeliveryError as error:
        logger.warning("Slack did not tell %s: %s", user, error)


async def _whisper(body: Mapping[str, Any]) -> None:
    async with provider_client() as client:
        await _calls().post(client, "chat.postEphemeral", body)


def _calls() -> SlackCalls:
    return SlackCalls(settings.SLACK_BOT_TOKEN, settings.SLACK_BASE_URL)


async def _ask(user: str, within: float | None) -> dict[str, Any]:
    calls = _calls()
    try:
        async with asyncio.timeout(within), provider_client() as client:
            return calls.ok(await calls.get(client, "users.info", [("user", user)]), repeatable=True)
    except TimeoutError as error:
        raise RetryLater("Slack did not answer in time") from error
