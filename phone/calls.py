"""A customer calls: an urgent conversation and a page, at once, whatever comes of the call.

What Twilio tells of one call comes in any order, late, twice or never; each part finds or makes the call's row.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import Inbound
from helpdesk.conversations.models import Conversation, Priority
from helpdesk.customers.models import Customer
from helpdesk.events.actions import Fact, record
from helpdesk.oncall import paging
from helpdesk.oncall.models import Urgency
from phone import callers, lines
from phone.models import Call, Recording

# When to ask Twilio what came of a call, in case it does not tell: after its end, or where not even that was told.
ASKS_AFTER: Final = timedelta(seconds=90)
LASTS_AT_MOST: Final = timedelta(minutes=15)
FORGED: Final = "Known by the number that is shown; a number can be forged."
ENDED: Final = {"completed": Call.State.COMPLETED, "busy": Call.State.FAILED, "failed": Call.State.FAILED,
                "no-answer": Call.State.FAILED, "canceled": Call.State.FAILED}  # fmt: skip


@transaction.atomic
def begin(
    sid: str, caller: str, number: str, name: str = "", *, at: datetime, began_at: datetime | None = None
) -> Call:
    """The call of this id; on its first word the conversation is opened and on-call paged. `caller` "" is withheld;
    `began_at` is earlier than `at` where we were not told at once.
    """
    callers.lock_person(caller or sid)
    call, _is_new = Call.objects.select_for_update().get_or_create(
        sid=sid,
        defaults={
            "direction": Call.Direction.INBOUND,
            "line": lines.of_number(number),
            "from_number": caller,
            "to_number": number,
            "began_at": began_at or at,
            "due_at": at + LASTS_AT_MOST,
        },
    )
    if call.conversation_id is None and call.direction == Call.Direction.INBOUND:
        _open(call, name, at)
    return call


def _open(call: Call, name: str, at: datetime) -> None:
    customer, is_known = callers.known_or_new(call.from_number, name, at=at)
    going_on = callers.open_conversation(customer, (callers.CALL,)) if call.from_number else None
    who = _who(customer, call.from_number)
    if going_on is not None:
        # Whoever changes a page locks it before its conversation.
        _page(going_on.pk, f"{who} has called again", call, going_on, at)
    message = conversations.receive_message(
        Inbound(
            channel=callers.CALL,
            customer=customer,
            at=at,
            text=f"Emergency call from {who}.",
            subject="" if going_on else f"Emergency call from {who}",
            external_id=f"call:{call.sid}",
            owner=call.to_number,
            thread=callers.thread_of(call.from_number, call.sid),
            conversation_id=going_on.pk if going_on else None,
            team_id=call.line.team_id if call.line else None,
            priority=Priority.URGENT,
            is_verified=is_known,
            remark=FORGED if is_known else "",
        )
    )
    if going_on is None:
        opened = Conversation.objects.select_related("team").get(pk=message.conversation_id)
        _page(opened.pk, f"{who} has called the emergency number", call, opened, at)
    call.conversation_id, call.customer = message.conversation_id, customer
    call.save(update_fields=["conversation", "customer"])
    record(Fact("phone.called", message.conversation_id, data={"call": call.pk}), at=at)


def _page(conversation_id: int, words: str, call: Call, conversation: Conversation, at: datetime) -> None:
    line = call.line
    policy = (line.escalation_policy if line else None) or (
        conversation.team.escalation_policy if conversation.team else None
    )
    paging.trigger(
        paging.conversation_key(conversation_id),
        paging.Reason("emergency_call", words, call.began_at),
        urgency=Urgency.HIGH,
        summary=f"#{conversation_id} {conversation.subject or words}",
        at=at,
        conversation_id=conversation_id,
        policy=policy,
    )


def _who(customer: Customer, number: str) -> str:
    name = str(customer)
    company = f", {customer.organization.name}" if customer.organization_id and customer.organization else ""
    shown = f" ({number})" if number and number != name else ""
    return f"{name}{shown}{company}"


@transaction.atomic
def ended(sid: str, status: str, seconds: int | None, *, at: datetime) -> None:
    """The caller has hung up. Whether they left a message is looked at a little later: it may still be on its way."""
    call = Call.objects.select_for_update().filter(sid=sid).first()
    if call is None or call.ended_at is not None or status not in ENDED:
        return
    call.state, call.ended_at, call.seconds = ENDED[status], at, seconds
    if call.direction == Call.Direction.INBOUND and call.due_at is not None:
        call.due_at = at + ASKS_AFTER
    call.save(update_fields=["state", "ended_at", "seconds", "due_at"])


@transaction.atomic
def settle(call_id: int, recordings: list[tuple[str, int | None]], *, at: datetime) -> None:
    """What Twilio says of a call when asked: the recordings that it has, none for a hang-up. The team is told once."""
    call = Call.objects.select_for_update().get(pk=call_id)
    if call.due_at is None or call.conversation_id is None:
        return
    call.due_at = None
    if call.state == Call.State.RINGING:
        call.state, call.ended_at = Call.State.COMPLETED, call.ended_at or at
    call.save(update_fields=["due_at", "state", "ended_at"])
    for sid, seconds in recordings:
        _heard(call, sid, seconds, at)
    if not call.recordings.exists():
        lasted = f" after {call.seconds} s" if call.seconds else ""
        words = f"The caller hung up{lasted} without leaving a message."
        conversations.note_automatically(callers.current(call.conversation_id), words, at=at)


@transaction.atomic
def recorded(
    sid: str, recording: str, seconds: int | None, caller: str, number: str, *, is_there: bool, at: datetime
) -> None:
    """A message was left, or was not. The recording is fetched by the worker, once."""
    call = begin(sid, caller, number, at=at)
    if not is_there or call.conversation_id is None:
        return
    _heard(call, recording, seconds, at)


def _heard(call: Call, recording: str, seconds: int | None, at: datetime) -> None:
    kept, is_new = Recording.objects.get_or_create(
        sid=recording, defaults={"call": call, "seconds": seconds, "heard_at": at}
    )
    if is_new:
        # Of no conversation: what cannot be fetched must not keep a later recording of the same one waiting.
        record(Fact("phone.recorded", data={"recording": kept.pk, "seconds": seconds}), at=at)
    elif kept.seconds is None and seconds is not None:
        Recording.objects.filter(pk=kept.pk, seconds=None).update(seconds=seconds)


@transaction.atomic
def transcribed(sid: str, recording: str, text: str, caller: str, number: str, *, at: datetime) -> None:
    """The words of a recording, which may come before it does, and before its call."""
    if not text:
        return
    call = begin(sid, caller, number, at=at)
    _heard(call, recording, None, at)
    kept = Recording.objects.select_for_update().get(sid=recording)
    if kept.transcript:
        return
    kept.transcript = text
    kept.save(update_fields=["transcript"])
    if kept.message_id is not None and call.conversation_id is not None:
        conversations.note_automatically(callers.current(call.conversation_id), transcript_note(text), at=at)


def transcript_note(text: str) -> str:
    return f"What was said, written down by a machine:\n\n{text}"
