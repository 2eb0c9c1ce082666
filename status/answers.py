"""Every public address of the status page and what is there: made of a snapshot alone, in one language, as bytes."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from status import badge, feeds, sections, snapshot, statuspage_api
from status.addresses import incident_url, page_url
from status.maintenance_calendar import Window, calendar
from status.rendering import Roots, render
from status.snapshot import Part, ShownIncident, Snapshot

HTML: Final = "text/html; charset=utf-8"
CODES: Final = tuple(code for code, _name in settings.LANGUAGES)
_LANGUAGE: Final = re.compile(rf"({'|'.join(CODES)})/")
_PAGES: Final[dict[str, str]] = {
    "page": "",
    "history": "history/",
    "month": "history/(20[0-9]{2}-[0-9]{2})/",
    "incident": "incidents/([a-z0-9]{12})/",
    "maintenance": "maintenance/",
    "banner": "banner/",
}
_FILES: Final[dict[str, str]] = {
    "badge.svg": "image/svg+xml",
    "history.atom": "application/atom+xml; charset=utf-8",
    "history.rss": "application/rss+xml; charset=utf-8",
    "maintenance.ics": "text/calendar; charset=utf-8",
}
API: Final = re.compile(r"api/v2/([a-z/-]{1,40})\.json")
_OF_KIND: Final = {
    "page": Part.FRONT,
    "incident": Part.COMPONENTS,
    "banner": Part.GOING_ON,
    "badge.svg": Part.GOING_ON,
    **dict.fromkeys(("history", "month", "maintenance", *_FILES.keys() - {"badge.svg"}), Part.PAST),
}
_OF_API: Final = {
    **dict.fromkeys(("status", "components"), Part.COMPONENTS),
    **dict.fromkeys(("incidents", "scheduled-maintenances"), Part.PAST),
}
# All of them as one expression without groups, for the table of URLs.
PATTERN: Final = "(?:{}|(?:{})?(?:{}))".format(
    API.pattern.replace("(", "(?:"),
    _LANGUAGE.pattern.replace("(", "(?:"),
    "|".join([pattern.replace("(", "(?:") for pattern in _PAGES.values()] + [re.escape(name) for name in _FILES]),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One address. `language` is None where the reader's own is to be found out, which is so for pages alone."""

    kind: str
    argument: str
    path: str
    language: str | None

    @property
    def is_page(self) -> bool:
        return self.kind in _PAGES

    @property
    def is_personal(self) -> bool:
        """Whether a customer who is signed in sees more there than everybody. A banner stands on pages of others."""
        return self.is_page and self.kind != "banner"

    @property
    def is_api(self) -> bool:
        return self.kind == "api"


@dataclass(frozen=True, slots=True)
class Made:
    """What is to be answered."""

    content_type: str
    body: bytes


def parse(path: str) -> Asked | None:
    """What a path below the status page asks for; None where nothing public can be."""
    if match := API.fullmatch(path):
        return Asked("api", match[1], path, "en") if match[1] in statuspage_api.DOCUMENTS else None
    language, rest = None, path
    if match := _LANGUAGE.match(path):
        language, rest = match[1], path[match.end() :]
    if rest in _FILES:
        return Asked(rest, "", rest, language)
    for kind, pattern in _PAGES.items():
        if found := re.fullmatch(pattern, rest):
            return Asked(kind, found[1] if found.lastindex else "", rest, language)
    return None


def part_of(asked: Asked) -> Part:
    """What has to be read to answer this, and nothing else."""
    return _OF_API.get(asked.argument, Part.GOING_ON) if asked.is_api else _OF_KIND[asked.kind]


def roots_of(asked: Asked, *, is_exported: bool = False) -> Roots:
    """Where the page lies that was asked for."""
    root = "../" * asked.path.count("/")
    top = root + "../" if asked.language else root
    app = f"{settings.PUBLIC_URL}/status/" if is_exported else top
    return Roots(root or "./", top or "./", app or "./", is_exported)


def make(asked: Asked, language: str, shown: Snapshot, *, is_exported: bool = False) -> Made | None:
    """The answer; None where there is no such incident or month. What is older than the snapshot is read from the
    database, and raises DatabaseError where that is gone.
    """
    if asked.kind == "api":
        document = statuspage_api.document(asked.argument, shown)
        return Made("application/json; charset=utf-8", json.dumps(document, ensure_ascii=False).encode())
    with translation.override(language):
        if asked.is_page:
            page = _page(asked, language, shown, roots_of(asked, is_exported=is_exported))
            return None if page is None else Made(HTML, page.encode())
        return Made(_FILES[asked.kind], _file(asked.kind, shown))


def _page(asked: Asked, language: str, shown: Snapshot, roots: Roots) -> str | None:
    context = _context(asked, shown)
    if context is None:
        return None
    template = "history.jinja" if asked.kind == "month" else f"{asked.kind}.jinja"
    return render(template, roots, language, shown, path=asked.path, **context)


def _context(asked: Asked, shown: Snapshot) -> dict[str, Any] | None:
    """What the page's template wants besides the snapshot."""
    match asked.kind:
        case "page":
            return front(shown)
        case "incident":
            one = _incident(asked.argument, shown)
            return None if one is None else {"one": one}
        case "history" | "month":
            return _history(asked.argument or f"{shown.at.astimezone(shown.zone):%Y-%m}", shown)
        case "maintenance":
            return {**sections.going_on(shown), "over": [one for one in shown.maintenances if not one.is_open]}
    return {"headline": sections.headline(shown), **sections.going_on(shown)}


def front(shown: Snapshot) -> dict[str, Any]:
    """What the front page shows."""
    return {
        "headline": sections.headline(shown),
        "blocks": sections.blocks(shown),
        "past_days": sections.past_days(shown),
        **sections.going_on(shown),
    }


def _incident(public_id: str, shown: Snapshot) -> ShownIncident | None:
    one = shown.find(public_id)
    if one is not None and one.update_count == len(one.updates):
        return one
    return snapshot.incident(public_id, seen=shown.seen)


def _history(text: str, shown: Snapshot) -> dict[str, Any] | None:
    months = sections.months(shown)
    within = sections.month_of(text, shown)
    if within is None:
        # A page that has had no incident yet has a history all the same: an empty one, of this month.
        return {"month": months[0], "months": months, "incidents": []} if text == f"{months[0]:%Y-%m}" else None
    return {"month": within[0].date(), "months": months, "incidents": _began(within, shown)}


def _began(within: tuple[datetime, datetime], shown: Snapshot) -> list[ShownIncident]:
    """What began within this time; from the snapshot where that reaches back so far."""
    begin, end = within
    for some in (shown.incidents, shown.maintenances):
        if len(some) >= snapshot.RECENT and some[snapshot.RECENT - 1].started_at >= begin:
            return snapshot.month(begin, end, seen=shown.seen)
    return [one for one in shown.recent if begin <= one.started_at < end]


def _file(kind: str, shown: Snapshot) -> bytes:
    match kind:
        case "history.atom" | "history.rss":
            return feeds.feed(shown, kind.removeprefix("history."))
        case "maintenance.ics":
            title = gettext("%(company)s: maintenance") % {"company": shown.name}
            return calendar((_window(shown, one) for one in shown.maintenances), name=title)
    headline = sections.headline(shown)
    return badge.badge(gettext("status"), headline["words"], headline["tone"])


def _window(shown: Snapshot, one: ShownIncident) -> Window:
    begins, ends = one.scheduled_for, one.scheduled_until
    assert begins is not None and ends is not None, "a maintenance has both"
    host = urlsplit(page_url()).hostname or "localhost"
    affected = ", ".join(shown.by_id[pk].name for pk in one.states)
    newest = one.updates[0].body if one.updates else ""
    return Window(
        uid=f"{one.id}@{host}",
        # What RFC 5546 wants is a number that rises with every change; seconds do, and fit into 31 bits for long.
        revision=int((one.changed_at - one.created_at).total_seconds()),
        changed_at=one.changed_at,
        begins=begins,
        ends=ends,
        summary=one.name,
        description="\n\n".join(filter(None, [affected, newest])),
        url=incident_url(one.id),
        is_cancelled=one.resolved_at is not None and one.resolved_at <= one.started_at,
    )
