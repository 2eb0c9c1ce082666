"""What visitors' pages pass on and what is not said in the conversation: typing, the page they are on, what it tells of
them. By the socket or, where a proxy breaks sockets, by requests; shown to agents, and gone or forgotten soon.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from chat import whispers
from chat.frames import milliseconds
from chat.models import PageEvent, Visit
from chat.texts import loaded
from helpdesk.events.safe_text import one_line

TYPING_SECONDS: Final = 6.0
LONGEST_URL, LONGEST_TITLE = 500, 200
# Of what a page tracks agents read the last few, each a name and a few short values.
MOST_TRACKED: Final = 10
MOST_PROPS: Final = 10
LONGEST_NAME, LONGEST_PROP, LONGEST_VALUE = 80, 40, 200
LONGEST_PROPS: Final = 2000


def typing(conversation_id: int, *, is_off: bool) -> None:
    """The visitor types, or does no more: agents who look see it for a few seconds."""
    frame: dict[str, Any] = {"t": "typing", "conv": conversation_id}
    frame |= {"off": True} if is_off else {"ttl": int(TYPING_SECONDS * 1000)}
    whispers.whisper(conversation_id, whispers.AGENTS, frame)


def page_in(given: Mapping[str, Any]) -> tuple[str, str] | None:
    """Address and title of the page that a frame names; None where it is no address of a web page."""
    url, title = _text(given, "url", LONGEST_URL), _text(given, "title", LONGEST_TITLE)
    return (url, title) if url.startswith(("http://", "https://")) else None


def note_page(visit: Visit, url: str, title: str) -> None:
    """Where they were last, for who looks after they have left."""
    Visit.objects.filter(pk=visit.pk).update(page_url=url, page_title=title)


def track(visit: Visit, given: Mapping[str, Any], *, at: datetime, conversation_id: int = 0) -> bool:
    """Keep what the page tells of its visitor, `name` and `props`, if the widget lets agents see pages; whether it was
    kept. The oldest gives way, and agents who have the chat open see it at once.
    """
    name = _text(given, "name", LONGEST_NAME)
    if not name or not visit.widget.sees_pages:
        return False
    props = _props(given.get("props"))
    PageEvent.objects.create(visit=visit, name=name, props=props, at=at)
    kept = PageEvent.objects.filter(visit=visit).order_by("-pk").values("pk")[:MOST_TRACKED]
    PageEvent.objects.filter(visit=visit).exclude(pk__in=kept).delete()
    if conversation_id:
        frame = {"t": "track", "conv": conversation_id, "name": name, "props": props, "at": milliseconds(at)}
        whispers.whisper(conversation_id, whispers.AGENTS, frame)
    return True


def _props(given: object) -> dict[str, str]:
    """Short texts by short names, from an object or its JSON; whatever else it is, is left out."""
    if isinstance(given, str) and len(given) <= LONGEST_PROPS:
        try:
            given = loaded(given)
        except ValueError:
            return {}
    if not isinstance(given, Mapping):
        return {}
    found: dict[str, str] = {}
    for name, value in list(given.items())[:MOST_PROPS]:
        if isinstance(value, str | int | float) and str(name).strip():
            found[one_line(str(name), LONGEST_PROP)] = one_line(str(value), LONGEST_VALUE)
    return found


def _text(given: Mapping[str, Any], name: str, longest: int) -> str:
    value = given.get(name)
    return one_line(value, longest) if isinstance(value, str) else ""
