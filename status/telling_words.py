"""What a customer reads of an incident's update in their own conversation, as long as its channel lets it be."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from helpdesk.events.safe_text import one_line
from status import addresses, wording
from status.incidents import OVER
from status.models import Incident, IncidentUpdate

DEFAULT_LANGUAGE: Final = "en"
ELLIPSIS: Final = "…"
# Below this there is room for nothing but the news itself.
SHORT: Final = 2000


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom it is told to: the conversation's number and channel, and what is known of the customer."""

    number: int
    channel: str
    name: str = ""
    language: str = ""


def text(update: IncidentUpdate, incident: Incident, reader: Reader) -> str:
    """The message, in the reader's language (the update's own words are as they were written)."""
    with override(reader.language or DEFAULT_LANGUAGE):
        most = settings.TOLD_CHARACTERS.get(reader.channel)
        if most is None or most >= SHORT:
            return _cut(_letter(update, incident, reader), most or len(update.body) + SHORT)
        return _short(update, incident, most)


def _letter(update: IncidentUpdate, incident: Incident, reader: Reader) -> str:
    name = one_line(reader.name, 100)
    is_over = update.status in OVER
    about = {"incident": one_line(incident.name, 200), "status": wording.status(update.status), "number": reader.number}
    head = (
        _("“%(incident)s”, which your request #%(number)s is about, is over:")
        if is_over
        else _("there is news about “%(incident)s”, which your request #%(number)s is about (%(status)s):")
    )
    url = addresses.incident_url(incident.public_id)
    tail = (
        _(
            "With this we consider your request as solved. If it still does not work for you, just answer: then we "
            "look at it again. What happened is written down at %(url)s"
        )
        if is_over
        else _("We will write to you again as soon as there is more. You can also follow it at %(url)s")
    )
    greeting = _("Hello %(name)s,") % {"name": name} if name else _("Hello,")
    return "\n\n".join((greeting, head % about, update.body.strip(), tail % {"url": url}))


def _short(update: IncidentUpdate, incident: Incident, most: int) -> str:
    """One paragraph that ends with the address; the words written for short networks where the others do not fit."""
    url = addresses.incident_url(incident.public_id)
    head = f"{one_line(incident.name, 80)} ({wording.status(update.status)}): "
    room = max(most - len(head) - len(url) - 1, 0)
    said = update.body.strip()
    if len(said) > room and update.short_text:
        said = update.short_text
    return _cut(f"{head}{_cut(said, room)} {url}" if room > 20 else f"{head}{url}", most)


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + ELLIPSIS
