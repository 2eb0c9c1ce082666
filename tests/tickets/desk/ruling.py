"""Rules of the tests, and conversations for them."""

from datetime import datetime, timedelta
from typing import Any

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation
from tests.fixtures.company import Company
from tickets.desk import rules
from tickets.desk.models import Rule

HOUR = timedelta(hours=1)


def rule(event: str, actions: list[dict[str, Any]], at: datetime, **fields: Any) -> Rule:
    return rules.save_rule(Rule(), {"name": "A rule", "event": event, "actions": actions, **fields}, at=at)


def ask(company: Company, at: datetime, **words: Any) -> Conversation:
    given = {"subject": "Shop is slow", "text": "Our shop is slow.", **words}
    message = conversations.receive_message(
        conversations.Inbound(channel="email", customer=company.carol, at=at, **given)
    )
    return Conversation.objects.get(pk=message.conversation_id)


def idle_rule(at: datetime, **fields: Any) -> Rule:
    actions: list[dict[str, Any]] = [
        {"do": "reply", "value": "Are you still there?"},
        {"do": "add_tags", "value": ["reminded"]},
    ]
    pending = [{"field": "status", "value": "pending"}]
    return rule("conversation.idle", actions, at, idle_hours=48, **{"conditions": pending, **fields})
