"""An agent calls a customer back: Twilio calls the agent's own phone, and a key joins the two.

It is asked for in one transaction and placed by the worker; how it went stands in the conversation as a note.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import handling, promises
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from helpdesk.events import twiml
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.events.handlers import outside
from helpdesk.events.models import Event
from helpdesk.events.outcomes import Ambiguous, DeliveryError, RetryLater
from helpdesk.oncall import linking, page_words
from helpdesk.oncall.models import AgentAddress
from phone import accounts, callers
from phone.models import Call
from phone.told import Joined

RINGS_SECONDS: Final = 30
# A call that nothing more was heard of does not keep the agent from calling again.
STALE_AFTER: Final = timedelta(minutes=2)
VOICE, STATUS = "/hooks/twilio/voice/", "/hooks/twilio/status/"
_ENDED: Final = {
    "busy": "The line was busy.",
    "no-answer": "Nobody answered.",
    "failed": "The call could not be put through.",
    "canceled": "The call was given up before anybody answered.",
}


class CannotCall(ValueError):
    """The customer cannot be called back; `words` tell the agent why."""

    def __init__(self, words: object) -> None:
        super().__init__(words)
        self.words = words


class NoOwnPhone(CannotCall):
    """The agent has not linked a phone of their own."""


@transaction.atomic
def ask(conversation: Conversation, user: User, *, at: datetime) -> Call:
    """Have the agent's phone rung, and then the customer's. Raises CannotCall."""
    if not accounts.can_call():
        raise CannotCall(_("Twilio is not connected, or has no number of ours to call from."))
    number = callers.number_of(conversation)
    if not number:
        raise CannotCall(_("The number is withheld, or none is known of this customer."))
    if not linking.address_of(user, AgentAddress.Kind.PHONE):
        raise NoOwnPhone(_("Link your own phone first: it is called, and then joined with the customer."))
    going_on = (Call.State.ASKED, Call.State.RINGING, Call.State.TALKING)
    callers.lock_person(f"agent:{user.pk}")
    if Call.objects.filter(agent=user, state__in=going_on, began_at__gt=at - STALE_AFTER).exists():
        raise CannotCall(_("Your phone is ringing already."))
    call = Call.objects.create(
        direction=Call.Direction.BACK,
        state=Call.State.ASKED,
        conversation=conversation,
        customer=conversation.customer,
        agent=user,
        from_number=accounts.sender(),
        to_number=number,
        began_at=at,
    )
    record(Fact("phone.callback_asked", conversation.pk, Actor.agent(user), data={"call": call.pk}), at=at)
    return call


@outside
def place(event: Event, at: datetime) -> None:
    """Call the agent. What cannot be placed is said in the conversation; it is never placed twice."""
    call = Call.objects.select_related("agent").filter(pk=event.data["call"], state=Call.State.ASKED).first()
    if call is None or call.agent is None:
        return
    if at - call.began_at > STALE_AFTER:
        failed(call.pk, "It could not be placed in time.", at=at)
        return
    # Claimed first: killed in between, nobody's phone rings twice.
    if not Call.objects.filter(pk=call.pk, state=Call.State.ASKED).update(state=Call.State.RINGING):
        return
    try:
        said = accounts.create("Calls", _form(call, linking.address_of(call.agent, AgentAddress.Kind.PHONE)))
    except RetryLater:
        Call.objects.filter(pk=call.pk, state=Call.State.RINGING).update(state=Call.State.ASKED)
        raise
    except Ambiguous as error:
        failed(call.pk, f"It may not have been placed: {error.reason}", at=at)
    except DeliveryError as error:
        failed(call.pk, error.reason, at=at)
    else:
        Call.objects.filter(pk=call.pk, sid="").update(sid=str(said["sid"])[:64])


def _form(call: Call, own: str) -> list[tuple[str, str]]:
    numbers = f"to={call.to_number.replace('+', '%2B')}&from={call.from_number.replace('+', '%2B')}"
    action = f"{settings.PUBLIC_URL}{VOICE}?callback={call.pk}&{numbers}"
    assert call.agent is not None, "agents call back"
    language = page_words.known(call.agent.language)
    words = page_words.say(language, page_words.CALL_BACK, number=call.conversation_id)
    spoken = [twiml.gather([twiml.said(words, language)], action=f"{action}&language={language}") for _time in range(2)]
    goodbye = twiml.said(page_words.say(language, page_words.NOT_JOINED), language)
    return [
        ("To", own),
        ("From", call.from_number),
        ("Twiml", twiml.response(*spoken, goodbye, twiml.hangup())),
        ("Timeout", str(RINGS_SECONDS)),
        ("StatusCallback", f"{settings.PUBLIC_URL}{STATUS}?callback={call.pk}"),
    ]


@transaction.atomic
def went_on(joined: Joined, *, at: datetime) -> None:
    """The agent pressed a key, or the customer's leg has ended."""
    call = _open(joined.call, joined.sid)
    if call is None:
        return
    if not joined.status:
        if joined.digit == "1" and call.state == Call.State.RINGING:
            Call.objects.filter(pk=call.pk).update(state=Call.State.TALKING)
        return
    if joined.status in ("completed", "answered") and joined.seconds:
        _talked(call, joined.seconds, at)
    else:
        _end(call, Call.State.FAILED, 0, f"Called back: {_ENDED.get(joined.status, 'nobody was reached.')}", at)


@transaction.atomic
def leg_ended(call_id: int, sid: str, status: str, *, at: datetime) -> None:
    """The agent's own phone: nobody took it, or hung up without being joined."""
    call = _open(call_id, sid)
    if call is None or call.state == Call.State.TALKING:
        return
    if status in _ENDED:
        _end(call, Call.State.FAILED, 0, f"Calling back: the agent's phone was not answered ({status}).", at)
    elif status == "completed":
        _end(call, Call.State.FAILED, 0, "Calling back: no key was pressed on the agent's phone.", at)


@transaction.atomic
def failed(call_id: int, why: str, *, at: datetime) -> None:
    """It was not placed."""
    call = Call.objects.select_for_update().get(pk=call_id)
    if call.ended_at is None:
        _end(call, Call.State.FAILED, 0, f"Calling back did not work: {why}", at)


def _open(call_id: int, sid: str) -> Call | None:
    found = Call.objects.select_for_update().filter(pk=call_id, direction=Call.Direction.BACK, ended_at=None).first()
    return found if found is not None and found.sid in ("", sid) else None


def _talked(call: Call, seconds: int, at: datetime) -> None:
    """They have spoken: that is an answer, and whoever called has taken the conversation if nobody had."""
    minutes, rest = divmod(seconds, 60)
    lasted = f"{minutes} min {rest} s" if minutes else f"{rest} s"
    conversation = _end(call, Call.State.COMPLETED, seconds, f"Called back: {lasted} on the phone.", at)
    assert call.agent is not None, "agents call back"
    promises.answered(conversation, at=at)
    if conversation.assignee_id is None:
        handling.assign(conversation, call.agent, actor=Actor.agent(call.agent), at=at)


def _end(call: Call, state: str, seconds: int, words: str, at: datetime) -> Conversation:
    call.state, call.ended_at, call.seconds, call.error = state, at, seconds, ""
    if state == Call.State.FAILED:
        call.error = words[:300]
    call.save(update_fields=["state", "ended_at", "seconds", "error"])
    assert call.conversation_id is not None and call.agent is not None, "agents call back from a conversation"
    conversation = callers.current(call.conversation_id)
    who = f"{words} ({call.agent.name}, {call.to_number})"
    conversations.note_automatically(conversation, who, at=at)
    data = {"call": call.pk, "seconds": seconds, "reached": state == Call.State.COMPLETED}
    record(Fact("phone.called_back", conversation.pk, Actor.agent(call.agent), data=data), at=at)
    return conversation
