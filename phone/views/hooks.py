"""Where Twilio calls: verified, kept raw once, and answered at once; what it means is worked out later.

A call must be answered by what is said next, so that is worked out here, within a moment: what does not know in time
says what is true in any case.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from helpdesk.events import hooks, signatures, twiml
from helpdesk.events.bodies import body_of
from helpdesk.oncall import answering, page_words, twilio_account
from helpdesk.oncall.models import AgentAddress
from phone import keeping, lines, told

logger = logging.getLogger(__name__)

WAITS_SECONDS: Final = 0.5
"""For the database, before the answer is given without it."""
NO_ANSWER: Final = twiml.response()


@dataclass(frozen=True, slots=True)
class Call:
    """A verified call of Twilio's; `what` is None where it cannot be read, and `error` says why."""

    kind: str
    raw: bytes
    query: str
    content_type: str
    key: str
    what: told.Told | None
    error: str

    def keep(self, at: datetime) -> int | None:
        who = self.what.sender if isinstance(self.what, told.Text) else ""
        headers = {"kind": self.kind, "query": self.query, "content-type": self.content_type, "person": who}
        return hooks.store(told.PROVIDER, self.key, self.raw, headers, at=at, error=self.error)


@csrf_exempt
@require_POST
def voice(request: HttpRequest) -> HttpResponse:
    """A call comes in, or a key was pressed: TwiML, always."""
    call = _verified(request, told.VOICE)
    if isinstance(call, HttpResponse):
        return call
    at = now()
    if isinstance(call.what, told.Ring):
        return _xml(_greeted(call, call.what, at))
    if isinstance(call.what, told.Pressed):
        return _xml(_answered(call, call.what, request.get_full_path(), at))
    _kept(call, at)
    if isinstance(call.what, told.Joined):
        return _xml(_joined(call.what))
    if isinstance(call.what, told.Recorded):
        return _xml(lines.thanked(request.GET.get("lang", "")))
    return _xml(NO_ANSWER)


@csrf_exempt
@require_POST
def recording(request: HttpRequest) -> HttpResponse:
    """A recording or its transcript is there."""
    return _noted(request, told.RECORDING)


@csrf_exempt
@require_POST
def status(request: HttpRequest) -> HttpResponse:
    """How a call or a text message goes on."""
    return _noted(request, told.STATUS)


@csrf_exempt
@require_POST
def sms(request: HttpRequest) -> HttpResponse:
    """A text message. Nothing is answered at once: what we write is written by agents."""
    return _noted(request, told.SMS)


def _noted(request: HttpRequest, kind: str) -> HttpResponse:
    call = _verified(request, kind)
    if isinstance(call, HttpResponse):
        return call
    # 503 is honest while the database is away; Twilio's own list has it for us later.
    return _xml(NO_ANSWER, status=200 if _kept(call, now()) else 503)


def _verified(request: HttpRequest, kind: str) -> Call | HttpResponse:
    """The call, or why it is refused: 413 too large, 403 not signed by Twilio or no token is set."""
    raw, content_type = body_of(request, told.LARGEST), request.headers.get("Content-Type", "")[:200]
    if raw is None:
        return JsonResponse({"error": "the body is too large"}, status=413)
    query = request.META.get("QUERY_STRING", "")
    try:
        form = told.fields_of(raw, content_type)
    except told.Unreadable as error:
        return JsonResponse({"error": str(error)}, status=403)
    # The address as Twilio was given it: behind a proxy the Host header says something else.
    url = settings.PUBLIC_URL + request.path + (f"?{query}" if query else "")
    given = request.headers.get("X-Twilio-Signature")
    if not signatures.twilio(_token(), url, form, raw, given):
        return JsonResponse({"error": "the signature is wrong"}, status=403)
    what, trouble = _read(kind, query, form)
    key = hooks.digest_id(b"\n".join([kind.encode(), query.encode("utf-8", "replace"), _canonical(form, raw)]))
    return Call(kind, raw, query[:2000], content_type, key, what, trouble)


def _token() -> str:
    """What Twilio signs with; while the database is away, what it was the last time."""
    known = twilio_account.is_from_environment()
    found = None if known else _in_time(twilio_account.credentials)
    held = found[0] if found is not None else twilio_account.remembered()
    assert isinstance(held, twilio_account.Credentials), "that is what it looks for"
    return held.token


def _read(kind: str, query: str, form: told.Fields | None) -> tuple[told.Told | None, str]:
    try:
        return told.read(kind, query, form), ""
    except told.Unreadable as error:
        return None, str(error)


def _canonical(form: told.Fields | None, raw: bytes) -> bytes:
    """The same for the same call told again, in whatever order its fields come."""
    return raw if form is None else repr(sorted(form)).encode("utf-8", "replace")


def _kept(call: Call, at: datetime) -> bool:
    return _in_time(lambda: call.keep(at)) is not None


def _in_time(work: Callable[[], object]) -> tuple[object] | None:
    """What came of it, None where it did not in time."""
    try:
        return (keeping.within(WAITS_SECONDS, work),)
    except keeping.NotNow as error:
        logger.error("Twilio was answered without the database: %s", error)
        return None


def _greeted(call: Call, ring: told.Ring, at: datetime) -> str:
    def keep_and_look() -> lines.Greeting:
        # First what must not be lost.
        call.keep(at)
        return lines.greeting(ring.line, ring.caller, at=at)

    found = _in_time(keep_and_look)
    greeting = found[0] if found is not None else lines.fallback(ring.caller)
    assert isinstance(greeting, lines.Greeting), "that is what it looks for"
    return lines.asked_to_speak(greeting, ring.caller, ring.line)


def _answered(call: Call, pressed: told.Pressed, path: str, at: datetime) -> str:
    def keep_and_look() -> bool:
        call.keep(at)
        return answering.at_address(AgentAddress.Kind.PHONE, pressed.number, "phone call") is not None

    found = _in_time(keep_and_look)
    if found is not None and not found[0] and pressed.digit:
        # Unlinked since it was called: nothing is said to be acknowledged that is not.
        language = page_words.known(pressed.language)
        return twiml.response(twiml.said(page_words.say(language, page_words.NOT_THERE), language), twiml.hangup())
    return _pressed(pressed, path, is_kept=found is not None)


def _pressed(pressed: told.Pressed, path: str, *, is_kept: bool) -> str:
    again, language = f"{settings.PUBLIC_URL}{path}", page_words.known(pressed.language)

    def said(what: str) -> Element:
        return twiml.said(page_words.say(language, what), language)

    if not is_kept:
        asked = twiml.gather([said(page_words.NOT_NOTED)], action=again)
        return twiml.response(twiml.pause(2), asked, twiml.hangup())
    if pressed.digit == "1":
        return twiml.response(said(page_words.THANKS), twiml.hangup())
    if pressed.digit == "2" and not pressed.is_all:
        return twiml.response(said(page_words.PASSED), twiml.hangup())
    keys = said(page_words.ONE_KEY if pressed.is_all else page_words.KEYS)
    return twiml.response(twiml.gather([keys], action=again), said(page_words.GOODBYE), twiml.hangup())


def _joined(joined: told.Joined) -> str:
    if joined.status in ("completed", "answered"):
        return twiml.response(twiml.hangup())
    language = page_words.known(joined.language)
    if joined.digit != "1" or not joined.customer:
        return twiml.response(twiml.said(page_words.say(language, page_words.NOT_JOINED), language), twiml.hangup())
    who = f"to={joined.customer.replace('+', '%2B')}&from={joined.shown.replace('+', '%2B')}&language={language}"
    action = f"{settings.PUBLIC_URL}/hooks/twilio/voice/?callback={joined.call}&{who}"
    dial = twiml.dial(joined.customer, action=action, caller_id=joined.shown)
    return twiml.response(dial, twiml.hangup())


def _xml(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/xml; charset=utf-8")
