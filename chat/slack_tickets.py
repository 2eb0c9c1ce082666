"""A line in Slack for each new ticket (SLACK_TICKETS). Live chats have threads of their own."""

from datetime import datetime, timedelta
from typing import Any, Final

from asgiref.sync import async_to_sync
from django.conf import settings
from django.urls import reverse

from chat import slack_posts
from chat.models import Chat
from helpdesk.conversations.models import Conversation
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.provider_calls import provider_client
from helpdesk.events.safe_text import one_line
from helpdesk.oncall.pagers.slack_calls import escaped

# What came long ago (workers that were down) is in the inbox, perhaps answered.
TOLD_WITHIN: Final = timedelta(minutes=30)


@outside
def tell(event: Event, at: datetime) -> None:
    """The handler of `conversation.opened`. Raises RetryLater and NeverRetry; twice in Slack is better than never."""
    if not (settings.SLACK_BOT_TOKEN and settings.SLACK_CHANNEL) or at - event.at > TOLD_WITHIN:
        return
    assert event.conversation_id is not None, "it is opened"
    rows = Conversation.objects.select_related("customer__organization", "team").filter(pk=event.conversation_id)
    conversation = rows.filter(is_spam=False).first()
    if conversation is None or (conversation.team is not None and conversation.team.is_private):
        return
    if Chat.objects.filter(pk=conversation.pk).exists():
        return
    async_to_sync(_post)({"channel": settings.SLACK_CHANNEL, "text": line(conversation), "unfurl_links": False})


def line(conversation: Conversation) -> str:
    """Who asks what, with a link, in one line."""
    customer = conversation.customer
    address = f"{settings.PUBLIC_URL}{reverse('tickets:conversation', args=[conversation.pk])}"
    who = [customer.name or customer.email or "Somebody", customer.organization.name if customer.organization else ""]
    told = [
        escaped(one_line(conversation.subject, 120) or "No subject"),
        escaped(one_line(", ".join(one for one in who if one), 120)),
        conversation.channel,
        *([f"*{conversation.priority}*"] if conversation.priority in ("urgent", "high") else []),
    ]
    return f"<{address}|#{conversation.number}> {' · '.join(told)}"


async def _post(message: dict[str, Any]) -> None:
    async with provider_client() as client:
        await slack_posts.calls().post(client, "chat.postMessage", message, repeatable=True)
