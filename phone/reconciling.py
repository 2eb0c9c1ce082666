"""Ask Twilio what it has told us or meant to: calls and texts that never came in here, recordings that were never told.

Our own web server or database may have been away while somebody called; Twilio's lists are the truth then.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from helpdesk.events.actions import beat
from helpdesk.events.models import Heartbeat
from helpdesk.events.outcomes import DeliveryError
from helpdesk.events.phone_numbers import caller, e164
from phone import accounts, calls, texts
from phone.models import Call, Line
from phone.told import MOST_MEDIA, Text, media_id

logger = logging.getLogger(__name__)

NAME: Final = "reconcile_phone"
EVERY: Final = timedelta(seconds=25)
# What rings now is told by Twilio itself; after a standstill we look as far back as this.
SETTLES: Final = timedelta(seconds=20)
LOOKS_BACK: Final = timedelta(hours=24)
OVERLAP: Final = timedelta(minutes=10)
PAGE_SIZE: Final = "100"
SECONDS: Final = 20.0
CALLS_A_ROUND: Final = 20


def reconcile(*, at: datetime) -> int:
    """Open what was missed and settle calls that are over; how many were. Trouble is logged, and nothing is skipped."""
    if not accounts.is_connected():
        return 0
    until = time.monotonic() + SECONDS
    found = _settle_due(at, until)
    known = Heartbeat.objects.filter(name=NAME).first()
    if known is not None and at - known.at < EVERY:
        return found
    since = max((known.at if known else at) - OVERLAP, at - LOOKS_BACK)
    try:
        for number in Line.objects.filter(is_active=True).values_list("number", flat=True):
            if time.monotonic() > until:
                # Not beaten: the next round looks as far back as this one had to.
                return found
            found += _missed_calls(number, since, at) + _missed_texts(number, since, at)
    except DeliveryError as error:
        logger.error("Twilio could not be asked for missed calls: %s", error)
        return found
    beat(NAME, at=at, detail={"found": found})
    return found


def _missed_calls(number: str, since: datetime, at: datetime) -> int:
    said = accounts.get("Calls", [("To", number), ("StartTime>", f"{since:%Y-%m-%d}"), ("PageSize", PAGE_SIZE)])
    listed = [one for one in _rows(said, "calls") if one.get("direction") == "inbound"]
    sids = {sid: one for one in listed if (sid := _sid(one))}
    missed = set(sids) - set(Call.objects.filter(sid__in=sids).values_list("sid", flat=True))
    count = 0
    for sid in sorted(missed, key=lambda key: _moment(sids[key], "start_time", at)):
        one, began = sids[sid], _moment(sids[sid], "start_time", at)
        if since <= began <= at - SETTLES:
            logger.warning("call %s was missed, and found in Twilio's list", sid)
            who, name = caller(str(one.get("from", ""))), str(one.get("caller_name") or "")[:120]
            calls.begin(sid, who, number, name, at=at, began_at=began)
            calls.ended(sid, str(one.get("status", "")), _seconds(one.get("duration")), at=at)
            count += 1
    return count


def _missed_texts(number: str, since: datetime, at: datetime) -> int:
    said = accounts.get("Messages", [("To", number), ("DateSent>", f"{since:%Y-%m-%d}"), ("PageSize", PAGE_SIZE)])
    listed = [one for one in _rows(said, "messages") if one.get("direction") == "inbound" and _sid(one)]
    count = 0
    for one in sorted(listed, key=lambda row: _moment(row, "date_created", at)):
        created = _moment(one, "date_created", at)
        if not since <= created <= at - SETTLES:
            continue
        body = str(one.get("body") or "")
        text = Text(_sid(one), caller(str(one.get("from", ""))), e164(number), body, (), "")
        if not texts.is_missing(text):
            continue
        media = _media(text.sid) if _seconds(one.get("num_media")) else ()
        count += texts.receive_once(replace(text, media=media), at=at)
    return count


def _media(sid: str) -> tuple[str, ...]:
    """The ids of a text's files. Raises a DeliveryError."""
    listed = _rows(accounts.get(f"Messages/{sid}/Media"), "media_list")
    return tuple(found for one in listed if (found := media_id(str(one.get("sid") or ""))))[:MOST_MEDIA]


def _settle_due(at: datetime, until: float) -> int:
    """Calls that have ended, or of which nothing more was told: what did the caller leave?"""
    due = Call.objects.filter(due_at__lte=at).order_by("due_at", "pk")[:CALLS_A_ROUND]
    done = 0
    for call in due:
        if time.monotonic() > until:
            break
        try:
            said = accounts.get(f"Calls/{call.sid}/Recordings")
        except DeliveryError as error:
            logger.warning("Twilio could not be asked for the recordings of call %s: %s", call.pk, error)
            Call.objects.filter(pk=call.pk, due_at=call.due_at).update(due_at=at + timedelta(minutes=1))
            continue
        there = [one for one in _rows(said, "recordings") if _sid(one) and one.get("status") == "completed"]
        told = [(_sid(one), _seconds(one.get("duration"))) for one in there]
        calls.settle(call.pk, [(sid, seconds) for sid, seconds in told if seconds != 0], at=at)
        done += 1
    return done


def _rows(said: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = said.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _sid(one: Mapping[str, Any]) -> str:
    found = one.get("sid")
    return found if isinstance(found, str) and len(found) <= 64 and found.isascii() and found.isalnum() else ""


def _seconds(value: Any) -> int | None:
    text = str(value) if isinstance(value, (str, int)) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _moment(one: Mapping[str, Any], name: str, otherwise: datetime) -> datetime:
    """Twilio's lists have times as mail has them (RFC 2822)."""
    try:
        found = parsedate_to_datetime(str(one.get(name, "")))
    except (ValueError, TypeError, IndexError, OverflowError):
        return otherwise
    return found if found.tzinfo else found.replace(tzinfo=UTC)
