"""The slash command in Slack: who is on call, find a ticket, open an incident. It reads and links; it changes nothing.

Slack waits three seconds for the answer, which only who asked sees. Whoever asks is known by the address of their Slack
profile, as in chats' threads. https://docs.slack.dev/interactivity/implementing-slash-commands
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote

from django.conf import settings
from django.urls import reverse

from chat import slack_replies
from helpdesk.conversations import search
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import User
from helpdesk.events.outcomes import DeliveryError
from helpdesk.events.payloads import form_fields
from helpdesk.events.safe_text import one_line, storable
from helpdesk.numbers import whole_number
from helpdesk.oncall import rotas
from helpdesk.oncall.models import Schedule
from helpdesk.oncall.pagers.slack_calls import escaped

LONGEST: Final = 200
MOST_TICKETS: Final = 5
MOST_SCHEDULES: Final = 20
HELP: Final = (
    "*oncall*: who is on call now\n*find* 1042, or words: tickets that you may see\n"
    "*incident* what is broken: a link to open one"
)
SLACK_IS_SLOW: Final = "Slack did not say in time who you are. Please try once more."
TOO_COMMON: Final = "Too many tickets have these words: say a little more."


def answer(raw: bytes, at: datetime) -> str:
    """What is said to who typed it, in Slack's own marks. Raises UnreadablePayload."""
    form = form_fields(raw)
    if form.get("ssl_check"):
        return ""
    try:
        agent = slack_replies.agent_of(form.get("user_id", ""), form.get("team_id", ""), patiently=False)
    except slack_replies.Refused as refused:
        return refused.words
    except DeliveryError:
        return SLACK_IS_SLOW
    word, _, rest = storable(form.get("text", ""), LONGEST).strip().partition(" ")
    known = _COMMANDS.get(word.lower().strip("/"))
    if known is not None:
        return known(agent, rest.strip(), at)
    # A number or words alone are looked for.
    return _find(agent, f"{word} {rest}".strip(), at) if word and word.lower() != "help" else HELP


def _on_call(agent: User, words: str, at: datetime) -> str:
    lines = []
    for schedule in Schedule.objects.order_by("name")[:MOST_SCHEDULES]:
        who = rotas.on_call(schedule.pk, at)
        lines.append(f"*{escaped(one_line(schedule.name, 80))}*: {escaped(one_line(who.name or who.email, 80))}")
    return "\n".join(lines) or "There is no schedule yet: a page calls every agent."


def _find(agent: User, words: str, at: datetime) -> str:
    if not words:
        return "What shall I look for? A number, or words."
    try:
        found = search.numbers(words, agent)
    except search.TooCommon:
        return TOO_COMMON
    rows = visible_conversations(agent).filter(pk__in=found).select_related("customer").order_by("-pk")
    # The ticket of that number before those that speak of it.
    named = list(rows.filter(pk=whole_number(words.removeprefix("#"))))
    others = [one for one in rows[: MOST_TICKETS + 1] if one not in named]
    lines = [_line(one) for one in [*named, *others][:MOST_TICKETS]]
    return "\n".join(lines) or "Nothing found among the tickets that you may see."


def _line(conversation: Conversation) -> str:
    address = f"{settings.PUBLIC_URL}{reverse('tickets:conversation', args=[conversation.pk])}"
    who = conversation.customer.name or conversation.customer.email or "somebody"
    title = escaped(one_line(conversation.subject, 120) or "No subject")
    return f"<{address}|#{conversation.number}> {title} · {escaped(one_line(who, 80))} · {conversation.status}"


def _incident(agent: User, words: str, at: datetime) -> str:
    address = f"{settings.PUBLIC_URL}{reverse('status:desk_new')}"
    if words:
        address += f"?name={quote(words, safe='')}"
    return f"<{address}|Open an incident>: nothing is told to anybody until you publish it there."


_COMMANDS: Final[Mapping[str, Callable[[User, str, datetime], str]]] = {
    "oncall": _on_call,
    "on-call": _on_call,
    "who": _on_call,
    "find": _find,
    "ticket": _find,
    "incident": _incident,
}
