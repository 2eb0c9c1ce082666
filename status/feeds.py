"""Incidents and maintenance for feed readers: Atom (RFC 4287) and RSS 2.0, one entry an incident.

An entry's id never changes, and its `updated` changes with every update: readers go by both.
"""

from datetime import UTC
from typing import Final
from urllib.parse import urlsplit

from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed
from django.utils.translation import get_language, gettext, to_locale
from markupsafe import Markup

from helpdesk.desk import markdown
from status import times, wording
from status.addresses import incident_url, page_url
from status.snapshot import ShownIncident, Snapshot

_KINDS: Final[dict[str, type[Atom1Feed] | type[Rss201rev2Feed]]] = {"atom": Atom1Feed, "rss": Rss201rev2Feed}
# Characters XML 1.0 cannot hold, whatever is typed.
_NOT_XML: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)])
MOST_ENTRIES: Final = 50


def feed(shown: Snapshot, kind: str) -> bytes:
    """The feed as "atom" or "rss", in the language that is active."""
    host = urlsplit(page_url()).hostname or "localhost"
    title = gettext("%(company)s status: incidents and maintenance") % {"company": clean(shown.name)}
    made = _KINDS[kind](
        title=title,
        link=f"{page_url()}/",
        description=title,
        language=to_locale(get_language() or "en").replace("_", "-"),
        author_name=clean(shown.name),
        feed_url=f"{page_url()}/history.{kind}",
        feed_guid=f"tag:{host},2026:{shown.page_id}",
    )
    for one in sorted(shown.recent, key=lambda one: (one.started_at, one.id), reverse=True)[:MOST_ENTRIES]:
        made.add_item(
            title=clean(one.name),
            link=incident_url(one.id),
            description=_content(shown, one),
            unique_id=f"tag:{host},2026:Incident/{one.id}",
            unique_id_is_permalink=False,
            pubdate=one.created_at.astimezone(UTC),
            updateddate=one.changed_at.astimezone(UTC),
        )
    return made.writeString("utf-8").encode()


def _content(shown: Snapshot, one: ShownIncident) -> str:
    """When it is planned for, and all its updates as HTML, newest first."""
    headings = wording.update_headings([update.status for update in one.updates])
    part = Markup("<p><small>{}</small><br><strong>{}</strong></p>{}")
    parts = [
        part.format(
            f"{update.display_at.astimezone(shown.zone):%Y-%m-%d %H:%M %Z}", heading, markdown.body(clean(update.body))
        )
        for update, heading in zip(one.updates, headings, strict=True)
    ]
    when = times.window(one, shown.zone)
    return str(Markup("").join([Markup("<p><strong>{}</strong></p>").format(when) if when else "", *parts]))


def clean(text: str) -> str:
    """The text without what XML cannot hold."""
    return text.translate(_NOT_XML)
