"""What Twilio tells us, read from the bytes it sent: a call that comes in, a key, a recording, a text, a state. Pure.

Each call is one of the classes below. Whatever the bytes, `read` returns one of them or raises Unreadable, no more.
https://www.twilio.com/docs/voice/twiml, /docs/voice/api/recording, /docs/messaging/guides/webhook-request
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from helpdesk.events.phone_numbers import LONGEST_TYPED, caller, e164
from helpdesk.events.safe_text import one_line, storable
from helpdesk.numbers import LARGEST_ID

PROVIDER: Final = "twilio"
LARGEST: Final = 256 * 1024
"""Bytes; Twilio sends a few kilobytes."""
MOST_FIELDS: Final = 300
LONGEST_TEXT: Final = 10_000
MOST_MEDIA: Final = 10
MOST_SECONDS: Final = 86_400
VOICE, RECORDING, STATUS, SMS = "voice", "recording", "status", "sms"
FORM: Final = "application/x-www-form-urlencoded"
Fields = Sequence[tuple[str, str]]


class Unreadable(ValueError):
    """The call is not what Twilio documents; the message says in what way."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Somebody calls one of our numbers; `name` is what their network calls them."""

    sid: str
    caller: str
    line: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Pressed:
    """An agent who was called for a page has pressed a key, "" where none. `page` 0 with `all` is every one; `language`
    is what the call was spoken in.
    """

    sid: str
    page: int
    is_all: bool
    digit: str
    number: str
    language: str


@dataclass(frozen=True, slots=True)
class Joined:
    """An agent calls back: `digit` they pressed, or how the customer's leg ended (`status`, `seconds`). `language` is
    the agent's.
    """

    sid: str
    call: int
    customer: str
    shown: str
    digit: str = ""
    status: str = ""
    seconds: int = 0
    language: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording is there, or there is none (`is_there` false). Who called comes along, so that it may come first."""

    sid: str
    recording: str
    is_there: bool
    seconds: int | None
    caller: str
    line: str


@dataclass(frozen=True, slots=True)
class Transcribed:
    """The words of a recording; "" where the machine understood none. Who called comes along, as with Recorded."""

    sid: str
    recording: str
    text: str
    caller: str
    line: str


@dataclass(frozen=True, slots=True)
class CallState:
    """How a call is: a customer's, an agent's (`call`), or a page's (`page`). Of a customer's (`is_inbound`) who called
    comes along, so that it may come first.
    """

    sid: str
    status: str
    seconds: int | None
    call: int
    page: int
    is_inbound: bool
    caller: str
    line: str


@dataclass(frozen=True, slots=True)
class TextState:
    """How a text message of ours is: an answer to a customer (`message`), or a page's (`page`)."""

    sid: str
    status: str
    code: int
    message: int
    page: int


@dataclass(frozen=True, slots=True)
class Text:
    """A text message to one of our numbers. `opts` is "STOP" or "START" where Twilio has understood it so; `media` are
    the ids of its files.
    """

    sid: str
    sender: str
    line: str
    text: str
    media: tuple[str, ...]
    opts: str


Told = Ring | Pressed | Joined | Recorded | Transcribed | CallState | TextState | Text


def fields_of(raw: bytes, content_type: str) -> list[tuple[str, str]] | None:
    """The form's fields as they came; None for a body that is no form. Raises Unreadable for too many."""
    if content_type.partition(";")[0].strip().lower() != FORM and raw:
        return None
    try:
        return parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Unreadable(f"more than {MOST_FIELDS} fields") from error


def read(kind: str, query: str, form: Fields | None) -> Told:
    """What a call to `/hooks/twilio/<kind>/?query` says. Raises Unreadable."""
    if form is None:
        raise Unreadable("not a form")
    given = _Given(form, query)
    if kind == SMS:
        return _text(given)
    if kind == STATUS:
        return _text_state(given) if given.has("MessageSid") or given.has("SmsSid") else _call_state(given)
    if kind == RECORDING:
        return _transcribed(given) if given.has("TranscriptionSid") else _recorded(given)
    return _voice(given)


class _Given:
    """Fields and query, with what may be in them checked."""

    def __init__(self, form: Fields, query: str) -> None:
        self._form: Mapping[str, str] = dict(form)
        try:
            self._asked: Mapping[str, str] = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=20))
        except ValueError:
            self._asked = {}

    def has(self, name: str) -> bool:
        return bool(self._form.get(name))

    def asks(self, name: str) -> bool:
        return name in self._asked

    def word(self, name: str) -> str:
        return one_line(self._form.get(name, ""), 100)

    def sid(self, *names: str) -> str:
        for name in names:
            found = self._form.get(name, "")
            if found and len(found) <= 64 and found.isascii() and found.isalnum():
                return found
        raise Unreadable(f"no {names[0]}")

    def number(self, name: str) -> str:
        return e164(self._form.get(name, "")[: LONGEST_TYPED + 1])

    def caller(self, name: str) -> str:
        return caller(self._form.get(name, "")[: LONGEST_TYPED + 1])

    def asked_number(self, name: str) -> str:
        return caller(self._asked.get(name, "")[: LONGEST_TYPED + 1])

    def asked_word(self, name: str) -> str:
        return one_line(self._asked.get(name, ""), 10)

    def asked_id(self, name: str) -> int:
        return _whole(self._asked.get(name, "")) or 0

    def whole(self, name: str) -> int | None:
        return _whole(self._form.get(name, ""))

    def address(self, name: str) -> str:
        return self._form.get(name, "")[:500]

    def seconds(self, name: str) -> int | None:
        found = self.whole(name)
        return None if found is None else min(found, MOST_SECONDS)

    def text(self, name: str) -> str:
        return storable(self._form.get(name, ""), LONGEST_TEXT)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= LARGEST_ID else None


def _voice(given: _Given) -> Told:
    sid = given.sid("CallSid")
    if given.asks("page"):
        # The call went from us to the agent.
        page, digit = given.asked_id("page"), given.word("Digits")[:1]
        return Pressed(sid, page, given.asks("all"), digit, given.number("To"), given.asked_word("language"))
    if given.asks("callback"):
        leg = (given.asked_id("callback"), given.asked_number("to"), given.asked_number("from"))
        language = given.asked_word("language")
        if given.has("DialCallStatus"):
            seconds = given.seconds("DialCallDuration") or 0
            return Joined(sid, *leg, status=given.word("DialCallStatus"), seconds=seconds, language=language)
        return Joined(sid, *leg, digit=given.word("Digits")[:1], language=language)
    if given.asks("after"):
        return _recorded(given)
    return Ring(sid, given.caller("From"), given.number("To"), one_line(given.text("CallerName"), 120))


def _recorded(given: _Given) -> Recorded:
    seconds = given.seconds("RecordingDuration")
    # One of no length holds nothing: the caller has hung up.
    there = given.word("RecordingStatus") in ("", "completed") and given.has("RecordingSid") and seconds != 0
    recording = given.sid("RecordingSid") if there else ""
    return Recorded(given.sid("CallSid"), recording, there, seconds, *_ends(given))


def _ends(given: _Given) -> tuple[str, str]:
    """Who called, and which line."""
    who = given.caller("From") or given.asked_number("from")
    return who, given.number("To") or given.asked_number("to")


def _transcribed(given: _Given) -> Transcribed:
    is_good = given.word("TranscriptionStatus") == "completed"
    text = given.text("TranscriptionText").strip() if is_good else ""
    return Transcribed(given.sid("CallSid"), given.sid("RecordingSid"), text, *_ends(given))


def _call_state(given: _Given) -> CallState:
    status = given.word("CallStatus")
    if not status:
        raise Unreadable("no CallStatus")
    ours = (given.asked_id("callback"), given.asked_id("page"))
    is_inbound = given.word("Direction") == "inbound" and not any(ours)
    return CallState(given.sid("CallSid"), status, given.seconds("CallDuration"), *ours, is_inbound, *_ends(given))


def _text_state(given: _Given) -> TextState:
    status = given.word("MessageStatus") or given.word("SmsStatus")
    if not status:
        raise Unreadable("no MessageStatus")
    sid, code = given.sid("MessageSid", "SmsSid"), min(given.whole("ErrorCode") or 0, 10**6)
    return TextState(sid, status.lower(), code, given.asked_id("message"), given.asked_id("page"))


def _text(given: _Given) -> Text:
    sid = given.sid("MessageSid", "SmsSid", "SmsMessageSid")
    media = (media_id(given.address(f"MediaUrl{n}")) for n in range(min(given.whole("NumMedia") or 0, MOST_MEDIA)))
    opts = given.word("OptOutType").upper()
    return Text(
        sid, given.caller("From"), given.number("To"), given.text("Body"), tuple(one for one in media if one), opts
    )


def media_id(address: str) -> str:
    """The id at the end of a file's address, "" where there is none. The rest of the address is ours to know."""
    found = address.rstrip("/").rpartition("/")[2]
    return found if found.isascii() and found.isalnum() and len(found) <= 64 else ""
