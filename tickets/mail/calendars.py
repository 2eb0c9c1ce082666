"""A few lines for people out of an iCalendar part (RFC 5545), and what it answers to an invitation (RFC 5546); the file
itself stays attached.
"""

import re
from dataclasses import dataclass

from helpdesk.conversations.cleaning import one_line
from tickets.mail.addresses import email_of

_MAX_CHARS = 64 * 1024
_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"([A-Za-z-]{1,40})((?:;[^:\"]{0,200}(?:\"[^\"]{0,500}\"[^:\"]{0,200}){0,5})?):(.*)")
_WHEN = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_ZONE = re.compile(r"TZID=\"?([^;:\"]{1,60})", re.IGNORECASE)
_COMMON_NAME = re.compile(r"CN=(?:\"([^\"]{1,200})\"|([^;:\"]{1,200}))", re.IGNORECASE)
_STATUS = re.compile(r"PARTSTAT=\"?([A-Za-z-]{1,20})", re.IGNORECASE)
_WORDS = re.compile(r"X-RESPONSE-COMMENT=(?:\"([^\"]{1,500})\"|([^;:\"]{1,500}))", re.IGNORECASE)
ANSWERS = ("accepted", "declined", "tentative")
_LONGEST_UID, _LONGEST_WORDS = 255, 500
_ESCAPED = re.compile(r"\\([\\;,nN])")
_METHODS = {
    "REQUEST": "Invitation",
    "CANCEL": "Cancelled",
    "REPLY": "Answer to an invitation",
    "COUNTER": "Other time proposed",
    "PUBLISH": "Event",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answers to an invitation: `says` is accepted, declined or tentative; `revision` is the SEQUENCE
    they answer to, None where they do not say; `words` are their own, beside the answer. `has_written`: the mail's
    text is theirs as well, and not their calendar's.
    """

    uid: str
    says: str
    by: str
    revision: int | None = None
    words: str = ""
    has_written: bool = False


def summarise(ics: str) -> str:
    """Method, summary, start and end, place and organizer of the first event, one a line; "" where there is none."""
    method, _program, event = _first_event(ics)
    return "\n".join(_lines(method, event)) if event else ""


def answer(ics: str) -> Answer | None:
    """The answer that a METHOD:REPLY gives (RFC 5546 §3.2.3); None for everything else."""
    method, program, event = _first_event(ics)
    parameters, address = event.get("ATTENDEE", ("", ""))
    status, uid = _STATUS.search(parameters), event.get("UID", ("", ""))[1]
    says = status[1].lower() if status else ""
    if method != "REPLY" or says not in ANSWERS or not uid or len(uid) > _LONGEST_UID:
        return None
    revision = event.get("SEQUENCE", ("", ""))[1]
    # Google's calendar puts them beside the address, as a parameter of its own.
    beside = _WORDS.search(parameters)
    words = event.get("COMMENT", ("", ""))[1] or ((beside[1] or beside[2]) if beside else "")
    return Answer(
        uid=uid,
        says=says,
        by=email_of(address[7:] if address[:7].lower() == "mailto:" else address),
        revision=int(revision) if revision.isascii() and revision.isdecimal() and len(revision) < 9 else None,
        words=one_line(_ESCAPED.sub(_unescaped, words), _LONGEST_WORDS),
        # Outlook and Exchange send what was typed as the mail's text, and nothing of their own; others write a text.
        has_written="microsoft" in program.lower(),
    )


def _first_event(ics: str) -> tuple[str, str, dict[str, tuple[str, str]]]:
    """Method, program, and the first event's properties with parameters and value."""
    method, program, inside = "", "", False
    event: dict[str, tuple[str, str]] = {}
    for line in _FOLD.sub("", ics[:_MAX_CHARS]).splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        name, parameters, value = match[1].upper(), match[2], match[3].strip()
        if name == "METHOD":
            method = method or value.upper()
        elif name == "PRODID":
            program = program or value
        elif name == "BEGIN" and value.upper() in ("VEVENT", "VTODO", "VFREEBUSY"):
            inside = True
        elif name == "END" and inside and value.upper().startswith("V") and value.upper() != "VALARM":
            break
        elif inside:
            event.setdefault(name, (parameters, value))
    return method, program, event


def _lines(method: str, event: dict[str, tuple[str, str]]) -> list[str]:
    title = one_line(_ESCAPED.sub(_unescaped, event.get("SUMMARY", ("", ""))[1]), 300)
    lines = [f"{_METHODS.get(method, 'Event')}: {title or 'without a title'}"]
    start, end = _when(*event.get("DTSTART", ("", ""))), _when(*event.get("DTEND", ("", "")))
    if start:
        repeats = " (repeats)" if "RRULE" in event else ""
        lines.append(f"When: {start}{f' to {end}' if end else ''}{repeats}")
    place = one_line(_ESCAPED.sub(_unescaped, event.get("LOCATION", ("", ""))[1]), 300)
    if place:
        lines.append(f"Where: {place}")
    organizer = _organizer(*event.get("ORGANIZER", ("", "")))
    if organizer:
        lines.append(f"Organizer: {organizer}")
    return lines


def _unescaped(match: re.Match[str]) -> str:
    return " " if match[1] in "nN" else match[1]


def _when(parameters: str, value: str) -> str:
    match = _WHEN.fullmatch(value)
    if match is None:
        return ""
    day = f"{match[1]}-{match[2]}-{match[3]}"
    if match[4] is None:
        return day
    zone = _ZONE.search(parameters)
    suffix = " UTC" if match[6] else f" ({one_line(zone[1], 60)})" if zone else ""
    return f"{day} {match[4]}:{match[5]}{suffix}"


def _organizer(parameters: str, value: str) -> str:
    email = email_of(value[7:] if value[:7].lower() == "mailto:" else value)
    name = _COMMON_NAME.search(parameters)
    shown = one_line((name[1] or name[2]) if name else "", 200)
    return f"{shown} <{email}>" if shown and email else shown or email
