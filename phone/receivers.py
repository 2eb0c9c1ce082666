"""What follows from a kept call of Twilio's. Each does its work once, in one transaction with its end."""

from collections.abc import Iterable
from datetime import datetime
from functools import singledispatch
from typing import Final

from helpdesk.events import hooks
from helpdesk.events.models import Event, Hook
from helpdesk.events.twilio_calls import explained
from helpdesk.oncall import answering, receipts
from helpdesk.oncall.models import AgentAddress
from phone import callers, calling, calls, delivered, told
from phone.texts import receive

# So far back an older text of the same person is looked for that another worker has not filed yet.
LOOKS_BACK: Final = 500


def apply(event: Event, at: datetime) -> None:
    """Do what a kept call says. What cannot be read is quarantined, with the reason."""
    known = Hook.objects.only("headers").get(pk=event.data["hook"])
    person = str(known.headers.get("person", ""))
    if person:
        # Taken before any row of theirs, by everybody, so that nobody waits for each other.
        callers.lock_person(person)
    for hook in (*_earlier(event.data["hook"], person), *_this(event.data["hook"])):
        _apply(hook)


def _this(pk: int) -> Iterable[Hook]:
    return Hook.objects.select_for_update().filter(pk=pk, state=Hook.State.ACCEPTED)


def _earlier(pk: int, person: str) -> Iterable[Hook]:
    """Texts of the same person that came before and are not filed yet: their order is kept, whoever works on what."""
    if not person:
        return ()
    near = Hook.objects.filter(pk__lt=pk, pk__gte=pk - LOOKS_BACK, provider=told.PROVIDER, state=Hook.State.ACCEPTED)
    mine = near.filter(headers__person=person, headers__kind=told.SMS)
    return mine.select_for_update().order_by("pk")


def _apply(hook: Hook) -> None:
    headers = hook.headers
    try:
        form = told.fields_of(bytes(hook.body), str(headers.get("content-type", "")))
        what = told.read(str(headers.get("kind", "")), str(headers.get("query", "")), form)
    except told.Unreadable as error:
        hooks.quarantine(hook, str(error))
        return
    trouble = _do(what, hook.received_at)
    if trouble:
        hooks.quarantine(hook, trouble)
    else:
        hooks.finish(hook)


@singledispatch
def _do(what: object, at: datetime) -> str:
    """Why it cannot be worked on, "" where it was."""
    return f"nothing is known of {type(what).__name__}"


@_do.register
def _(what: told.Ring, at: datetime) -> str:
    calls.begin(what.sid, what.caller, what.line, what.name, at=at)
    return ""


@_do.register
def _(what: told.Recorded, at: datetime) -> str:
    calls.recorded(what.sid, what.recording, what.seconds, what.caller, what.line, is_there=what.is_there, at=at)
    return ""


@_do.register
def _(what: told.Transcribed, at: datetime) -> str:
    calls.transcribed(what.sid, what.recording, what.text, what.caller, what.line, at=at)
    return ""


@_do.register
def _(what: told.Pressed, at: datetime) -> str:
    who = answering.at_address(AgentAddress.Kind.PHONE, what.number, "phone call")
    if what.digit not in ("1", "2"):
        return ""
    if who is None:
        return f"{what.number or 'a withheld number'} is no agent's"
    if what.is_all:
        answering.acknowledge_all(who, at=at)
        return ""
    answer = answering.acknowledge if what.digit == "1" else answering.pass_on
    return "" if answer(what.page, who, at=at) else f"there is no page {what.page}"


@_do.register
def _(what: told.Joined, at: datetime) -> str:
    calling.went_on(what, at=at)
    return ""


@_do.register
def _(what: told.CallState, at: datetime) -> str:
    if what.page:
        if what.status in ("busy", "no-answer", "failed", "canceled"):
            receipts.not_answered(what.page, "voice", what.sid, what.status)
    elif what.call:
        calling.leg_ended(what.call, what.sid, what.status, at=at)
    else:
        if what.is_inbound and what.status in calls.ENDED:
            # The first that we hear of it, where our answer to the call itself was not there in time.
            calls.begin(what.sid, what.caller, what.line, at=at)
        calls.ended(what.sid, what.status, what.seconds, at=at)
    return ""


@_do.register
def _(what: told.TextState, at: datetime) -> str:
    if what.page:
        if what.status in delivered.FAILED:
            receipts.not_delivered(what.page, "sms", what.sid, explained(what.code, what.status), at=at)
    else:
        delivered.note(what, at=at)
    return ""


@_do.register
def _(what: told.Text, at: datetime) -> str:
    receive(what, at=at)
    return ""
