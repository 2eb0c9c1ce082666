"""What is written in a chat's thread in Slack: an internal note, unless it is said plainly that it is for the customer.

Only agents are heard: whoever writes is known by the address of their Slack profile. Slack may call twice, and so may
the outbox: each message has a client id made of its place in Slack, so that it is taken over once.
"""

import logging
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import transaction

from chat.models import SlackThread
from chat.slack_payloads import REPLY, Changed, Written, parse_event, parse_shortcut
from chat.slack_threads import FROM_SLACK, is_configured
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Message
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import User
from helpdesk.customers.permissions import may_work
from helpdesk.events import hooks
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event, Hook
from helpdesk.events.outcomes import NeverRetry
from helpdesk.events.payloads import UnreadablePayload
from helpdesk.oncall import slack_people

logger = logging.getLogger(__name__)

UNKNOWN: Final = (
    "Sorry, I do not know you as an agent of the helpdesk, so nothing of this was kept or sent. "
    "The address of your Slack profile must be that of your login."
)
MAY_NOT_SEND: Final = "Sorry, you may write notes but not answer customers. Nothing was sent."
NOT_YOURS: Final = "Sorry, this conversation is not among those you may see. Nothing was kept or sent."
NOTHING: Final = f"Nothing was sent: write the answer behind {REPLY}."
SENT_BEFORE: Final = "This message was sent to the customer before."
NO_FILES: Final = "The text was sent. Files are not passed on from Slack: attach them on the desk."


class Refused(Exception):
    """Nothing was done; `words` for the person in Slack."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@outside
def take_over(event: Event, at: datetime) -> None:
    """A message in a chat's thread, or the shortcut to send one. Raises RetryLater where Slack does not answer."""
    written = _read(event)
    if not isinstance(written, Written) or not is_configured():
        return
    thread = SlackThread.objects.filter(channel=written.channel, ts=written.thread_ts).first()
    if thread is None:
        return
    try:
        agent = agent_of(written.user, written.team)
        words = _reply(thread, written, agent, at) if _is_for_customer(written) else _note(thread, written, agent, at)
    except Refused as refused:
        words = refused.words
    if words:
        _say_to_author(written, words)


def note_changes(event: Event, at: datetime) -> None:
    """Somebody edited or deleted in Slack what was taken over: it stays as it was, and the team reads so."""
    changed = _read(event)
    if not isinstance(changed, Changed):
        return
    thread = SlackThread.objects.filter(channel=changed.channel, ts=changed.thread_ts).first()
    if thread is None:
        return
    conversation = lock(thread.pk)
    taken = (_client_id(changed.channel, changed.ts, "note"), _client_id(changed.channel, changed.ts, "reply"))
    message = Message.objects.filter(conversation=conversation, client_id__in=taken).order_by("-pk").first()
    if message is None:
        return
    did = "deleted" if changed.is_deleted else "edited"
    what = "The answer" if message.kind == Message.Kind.OUTBOUND else "The note"
    text = f"{what} of {message.at:%H:%M} UTC was {did} in Slack afterwards. Here it stays as it was."
    conversations.note_automatically(conversation, text, at=at)


def _read(event: Event) -> Written | Changed | None:
    hook = Hook.objects.get(pk=event.data["hook"])
    try:
        if hook.headers.get("kind") == "interactivity":
            return parse_shortcut(bytes(hook.body))
        return parse_event(bytes(hook.body))
    except UnreadablePayload as error:
        hooks.quarantine(hook, str(error))
        return None


def _is_for_customer(written: Written) -> bool:
    return written.is_reply or written.is_shortcut


@transaction.atomic
def _note(thread: SlackThread, written: Written, agent: User, at: datetime) -> str:
    _check_sees(thread, agent)
    names = "".join(f"\n📎 {name} (in Slack)" for name in written.files)
    text = f"{written.text}{names}".strip()
    if text:
        client_id = _client_id(written.channel, written.ts, "note")
        conversations.note(thread.pk, agent, text, at=at, client_id=client_id, remark=FROM_SLACK)
    return ""


@transaction.atomic
def _reply(thread: SlackThread, written: Written, agent: User, at: datetime) -> str:
    _check_sees(thread, agent)
    if not may_work(agent):
        raise Refused(MAY_NOT_SEND)
    if not written.text:
        raise Refused(NOTHING)
    lock(thread.pk)
    client_id = _client_id(written.channel, written.ts, "reply")
    if Message.objects.filter(conversation=thread.pk, client_id=client_id).exists():
        return SENT_BEFORE if written.is_shortcut else ""
    message = conversations.reply(thread.pk, agent, written.text, at=at, client_id=client_id)
    Message.objects.filter(pk=message.pk).update(remark=FROM_SLACK)
    return NO_FILES if written.files else ""


def _check_sees(thread: SlackThread, agent: User) -> None:
    if not visible_conversations(agent).filter(pk=thread.pk).exists():
        raise Refused(NOT_YOURS)


def _client_id(channel: str, ts: str, what: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"slack:{channel}:{ts}:{what}")


def agent_of(user: str, team: str, *, patiently: bool = True) -> User:
    """The agent who this is in Slack. Raises Refused, RetryLater."""
    try:
        return slack_people.agent_of(user, team, patiently=patiently)
    except (slack_people.Stranger, slack_people.Unsaid) as error:
        raise Refused(UNKNOWN) from error
    except NeverRetry as error:
        logger.warning("Slack does not say who %s is: %s", user, error)
        raise Refused(UNKNOWN) from error


def _say_to_author(written: Written, words: str) -> None:
    slack_people.whisper(written.channel, written.user, words, thread_ts=written.thread_ts)
