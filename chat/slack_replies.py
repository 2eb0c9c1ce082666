"""What is written in a chat's thread in Slack: an internal note, unless it is said plainly that it is for the customer.

Only agents are heard: whoever writes is known by the address of their Slack profile. Slack may call twice, and so may
the outbox: each message has a client id made of its place in Slack, so that it is taken over once.
"""

import asyncio
import logging
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from asgiref.sync import async_to_sync
from django.core.cache import caches
from django.db import transaction

from chat import slack_posts
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
from helpdesk.events.outcomes import DeliveryError, NeverRetry, RetryLater
from helpdesk.events.payloads import UnreadablePayload
from helpdesk.events.provider_calls import provider_client

logger = logging.getLogger(__name__)

# Slack shows a slash command as failed after three seconds.
HURRY_SECONDS: Final = 2.0
KNOWN_SECONDS: Final = 600

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
    """The agent whose login is the address of that Slack profile. Raises Refused, RetryLater. Where somebody waits in
    front of Slack, who cannot be told within two seconds is asked to try again, and what was told is kept for minutes.
    """
    kept, key = caches["process"], f"slack:{sha256(f'{team}:{user}'.encode()).hexdigest()}"
    email = None if patiently else kept.get(key)
    if email is None:
        email = _address(user, team, None if patiently else HURRY_SECONDS)
        kept.set(key, email, KNOWN_SECONDS)
    agent = User.objects.filter(email__iexact=email, is_active=True).first()
    if agent is None:
        raise Refused(UNKNOWN)
    return agent


def _address(user: str, team: str, within: float | None) -> str:
    try:
        said = async_to_sync(_ask)("users.info", user, within)
    except NeverRetry as error:
        logger.warning("Slack does not say who %s is: %s", user, error)
        raise Refused(UNKNOWN) from error
    profile = said.get("user")
    if not isinstance(profile, dict) or profile.get("deleted") or profile.get("is_bot"):
        raise Refused(UNKNOWN)
    # Somebody of another workspace in a shared channel: their administrators, not ours, say what their address is.
    if team and profile.get("team_id") not in (None, team):
        raise Refused(UNKNOWN)
    details = profile.get("profile")
    email = details.get("email") if isinstance(details, dict) else None
    if not isinstance(email, str) or not email:
        raise Refused(UNKNOWN)
    return email


async def _ask(method: str, user: str, within: float | None) -> dict[str, Any]:
    calls = slack_posts.calls()
    try:
        async with asyncio.timeout(within), provider_client() as client:
            return calls.ok(await calls.get(client, method, [("user", user)]), repeatable=True)
    except TimeoutError as error:
        raise RetryLater("Slack did not answer in time") from error


def _say_to_author(written: Written, words: str) -> None:
    """Only its author sees it. Best effort: what was done is done."""
    body = {"channel": written.channel, "user": written.user, "thread_ts": written.thread_ts, "text": words}
    try:
        async_to_sync(_post)(body)
    except DeliveryError as error:
        logger.warning("Slack did not tell %s: %s", written.user, error)


async def _post(body: dict[str, Any]) -> None:
    async with provider_client() as client:
        await slack_posts.calls().post(client, "chat.postEphemeral", body)
