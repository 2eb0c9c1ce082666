"""The numbers customers call, and what a caller hears: by the hours, in the caller's language."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings

from helpdesk.customers.lookup import customer_of
from helpdesk.events import twiml
from helpdesk.events.phone_numbers import language_of
from helpdesk.sla import calendars
from phone import greetings
from phone.models import Line

IDENTITY: Final = "phone"
"""The channel of the identities that hold phone numbers, of callers and of writers of text messages."""
LONGEST_SECONDS: Final = 180


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a caller hears before the tone, and how long they may speak. `is_taken` is false on a line switched off."""

    words: str
    language: str
    longest_seconds: int = LONGEST_SECONDS
    transcribes: bool = False
    is_taken: bool = True


def fallback(caller: str) -> Greeting:
    """Without asking anybody: for the time when the database does not answer."""
    language = language_of(caller) or default_language()
    return Greeting(greetings.default(language, greetings.CLOSED), language)


def greeting(number: str, caller: str, *, at: datetime) -> Greeting:
    """What this caller hears on this line now. A number that nobody has set up here takes calls all the same."""
    line = of_number(number)
    language = _language(line, caller)
    what = greetings.OPEN if _is_open(line, at) else greetings.CLOSED
    if line is None:
        return Greeting(greetings.default(language, what), language)
    words = greetings.chosen(line.greetings, language, what)
    return Greeting(words, language, line.longest_seconds, line.transcribes, line.is_active)


def of_number(number: str) -> Line | None:
    return Line.objects.filter(number=number).select_related("calendar").first() if number else None


def default_language() -> str:
    code = str(settings.LANGUAGE_CODE).partition("-")[0]
    return code if code in greetings.DEFAULTS else greetings.FALLBACK


def _language(line: Line | None, caller: str) -> str:
    """The customer's own, else that of where they call from, else the line's."""
    customer = customer_of(IDENTITY, caller) if caller else None
    wanted = [customer.language if customer else "", language_of(caller), line.language if line else ""]
    return next((one for one in wanted if one in greetings.DEFAULTS), default_language())


def _is_open(line: Line | None, at: datetime) -> bool:
    if line is not None and line.calendar is not None:
        return calendars.hours_of(line.calendar.pk, line.calendar.version).is_open(at)
    office = calendars.office_hours()
    return office is None or office.is_open(at)


def asked_to_speak(found: Greeting, caller: str, number: str) -> str:
    """The answer to a call: greeting, tone, message. Who is silent is told that we know of the call."""
    if not found.is_taken:
        return twiml.response(twiml.reject())
    base, who = f"{settings.PUBLIC_URL}/hooks/twilio", _query(caller, number)
    recording = twiml.record(
        action=f"{base}/voice/?after=record&lang={found.language}",
        callback=f"{base}/recording/?{who}",
        longest_seconds=found.longest_seconds,
        transcription=f"{base}/recording/?{who}" if found.transcribes else "",
    )
    nothing = twiml.said(greetings.default(found.language, greetings.NOTHING), found.language)
    return twiml.response(twiml.said(found.words, found.language), recording, nothing, twiml.hangup())


def _query(caller: str, number: str) -> str:
    return f"from={caller.replace('+', '%2B')}&to={number.replace('+', '%2B')}"


def thanked(language: str) -> str:
    """The answer once a message is left."""
    language = language if language in greetings.DEFAULTS else default_language()
    return twiml.response(twiml.said(greetings.default(language, greetings.THANKS), language), twiml.hangup())
