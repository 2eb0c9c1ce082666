"""A line in Slack when an incident is proposed, where Slack is connected: whoever reads the channel can look."""

from datetime import datetime, timedelta
from typing import Any, Final

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils import translation

from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.provider_calls import provider_client
from helpdesk.oncall.pagers.slack_calls import SlackCalls, escaped
from status import proposals
from status.models import Proposal

# What was proposed long ago (workers that were down) is in the desk, or decided.
TOLD_WITHIN: Final = timedelta(minutes=30)


@outside
def tell(event: Event, at: datetime) -> None:
    """The handler of `incident.proposed`. Raises RetryLater and NeverRetry; twice in Slack is better than never."""
    if not (settings.SLACK_BOT_TOKEN and settings.SLACK_CHANNEL) or at - event.at > TOLD_WITHIN:
        return
    proposal = Proposal.objects.select_related("component").filter(pk=event.data["proposal"], ended_at=None).first()
    if proposal is None:
        return
    # One language for all that stands in the channel.
    with translation.override("en"):
        words = escaped(proposals.words(proposal))
    url = f"{settings.PUBLIC_URL}{event.data['url']}"
    async_to_sync(_post)({"channel": settings.SLACK_CHANNEL, "text": f"{words} {url}", "unfurl_links": False})


async def _post(message: dict[str, Any]) -> None:
    async with provider_client() as client:
        slack = SlackCalls(settings.SLACK_BOT_TOKEN, settings.SLACK_BASE_URL)
        await slack.post(client, "chat.postMessage", message, repeatable=True)
