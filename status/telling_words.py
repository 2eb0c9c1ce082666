"""What a customer reads of an incident's update in their own conversation, as long as its channel lets it be."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override
from markupsafe import Markup

from helpdesk.desk import markdown
from helpdesk.desk.web_links import linked
from helpdesk.events.safe_text import one_line
from status import concerned, times, wording
from status.incidents import OVER
from status.models import Incident, IncidentUpdate

DEFAULT_LANGUAGE: Final = "en"
ELLIPSIS: Final = "…"
# Below this there is room for nothing but the news itself.
SHORT: Final = 2000


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom it is told to: the conversation's number and channel, and what is known of the customer; `zone` is the one
    that times are said in.
    """

    number: int
    channel: str
    name: str = ""
    language: str = ""
    zone: tzinfo = UTC


def text(update: IncidentUpdate, incident: Incident, reader: Reader) -> str:
    """The message, in the reader's language (the update's own words are as they were written)."""
    most = settings.TOLD_CHARACTERS.get(reader.channel)
    with override(reader.language or DEFAULT_LANGUAGE):
        if most is not None and most < SHORT:
            return _short(update, incident, reader.zone, most)
        greeting, head, tail = _around(update, incident, reader)
        said = update.body.strip()
        if most is not None:
            said = _cut(said, most - len(greeting) - len(head) - len(tail) - 6)
        return "\n\n".join((greeting, head, said, tail))


def html(update: IncidentUpdate, incident: Incident, reader: Reader) -> str:
    """The same with the update's Markdown drawn; "" where there is none, or the channel is no letter."""
    if reader.channel in settings.TOLD_CHARACTERS or not markdown.is_formatted(update.body):
        return ""
    with override(reader.language or DEFAULT_LANGUAGE):
        greeting, head, tail = (linked(part) for part in _around(update, incident, reader))
    said = markdown.body(update.body.strip())
    return str(Markup("<p>{}</p>\n<p>{}</p>\n{}<p>{}</p>").format(greeting, head, said, tail))


def _around(update: IncidentUpdate, incident: Incident, reader: Reader) -> tuple[str, str, str]:
    """Greeting, what it is about, and what comes next."""
    name = one_line(reader.name, 100)
    about = {"incident": one_line(incident.name, 200), "status": wording.status(update.status), "number": reader.number}
    url = {"url": concerned.incident_url(incident.pk, incident.public_id)}
    when = times.window(incident, reader.zone)
    if update.status in OVER:
        head = _("“%(incident)s”, which your request #%(number)s is about, is over:")
        tail = _(
            "With this we consider your request as solved. If it still does not work for you, just answer: then we "
            "look at it again. What happened is written down at %(url)s"
        )
    else:
        head = _("there is news about “%(incident)s”, which your request #%(number)s is about (%(status)s):")
        tail = _("We will write to you again as soon as there is more. You can also follow it at %(url)s")
    greeting = _("Hello %(name)s,") % {"name": name} if name else _("Hello,")
    return greeting, f"{head % about}\n{when}".rstrip(), tail % url


def _short(update: IncidentUpdate, incident: Incident, zone: tzinfo, most: int) -> str:
    """One paragraph that ends with the address; the words written for short networks where the others do not fit."""
    url = concerned.incident_url(incident.pk, incident.public_id)
    stands = filter(None, (wording.status(update.status), times.window(incident, zone)))
    head = f"{one_line(incident.name, 80)} ({', '.join(stands)}): "
    room = max(most - len(head) - len(url) - 1, 0)
    said = update.body.strip()
    if len(said) > room and update.short_text:
        said = update.short_text
    return _cut(f"{head}{_cut(said, room)} {url}" if room > 20 else f"{head}{url}", most)


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + ELLIPSIS
