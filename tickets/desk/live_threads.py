"""What came to open conversations, drawn once for all who read it alike. For `LIVE_DESK`."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from django.utils import timezone, translation

from tickets.desk import thread
from tickets.desk.rendering import fragment
from tickets.zones import known_zone

# A conversation, the cursor up to which it is shown, whether its reader works, and their language and time zone.
Wanted = tuple[int, str, bool, str, str]
# HTML to be put below the thread, and the cursor of what is shown then.
Drawn = tuple[str, str]
_Read = tuple[thread.Since, thread.Thread] | None


def draw(wanted: Collection[Wanted]) -> Mapping[Wanted, Drawn]:
    """News that change nothing but the thread; without those that are asked for (`tickets.views.conversation.news`):
    what stands beside it holds forms and drafts of each reader's own. Two statements for each conversation and cursor.

    It is the caller who knows that each reader may see what they are given.
    """
    read: dict[tuple[int, str], _Read] = {}
    found: dict[Wanted, Drawn] = {}
    at = timezone.now()
    for one in wanted:
        conversation, after, works, language, zone = one
        try:
            if (conversation, after) not in read:
                read[conversation, after] = _read(conversation, after)
            news = read[conversation, after]
            if news is not None:
                with translation.override(language), timezone.override(known_zone(zone)):
                    found[one] = _drawn(conversation, *news, works, at)
        except (ValueError, OverflowError):
            continue  # no cursor of ours: that page's affair, and no other's
    return found


def _drawn(conversation: int, since: thread.Since, part: thread.Thread, works: bool, at: datetime) -> Drawn:
    given: dict[str, Any] = {"conversation": {"id": conversation}, "thread": part, "may_work": works, "at": at}
    return fragment("_news.jinja", is_wide=False, seq=since.seq, **given), part.cursor(since.seq)


def _read(conversation: int, after: str) -> _Read:
    """Raises ValueError and OverflowError for what no page of ours was given."""
    asked = {name: values[0] for name, values in parse_qs(after, max_num_fields=5).items()}
    shown = thread.Shown.parse(asked.get("seq", ""), asked.get("last", ""), asked.get("at", ""))
    since = thread.since(conversation, shown) if shown else None
    if since is None or not since.is_quiet:
        return None
    part = thread.additions(conversation, since, {})
    # What failed can be sent again, by a form with the reader's own mark.
    if part is None or any(item.message and item.message["delivery"] == "failed" for item in part.items):
        return None
    return since, part
