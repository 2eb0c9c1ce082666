"""Whoever may open an incident is told when one is proposed: on open pages and by push, as they have chosen.

A proposal belongs to no conversation. Its event says what it is about (`{what, count, why, url}`); whatever makes
proposals is another room.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record_all
from helpdesk.events.handlers import together
from helpdesk.events.models import Event
from tickets.desk import notices

PROPOSED: Final = "incident.proposed"
# A frame that is about no conversation.
NO_CONVERSATION: Final = 0


def live(events: Sequence[Any], users: Collection[int]) -> list[tuple[int, int, dict[str, Any]]]:
    """All that open pages are told of: of conversations, and of what is proposed. For `LIVE_DESK`."""
    return [*notices.live(events, users), *_frames(events, users)]


def _frames(events: Sequence[Any], users: Collection[int]) -> list[tuple[int, int, dict[str, Any]]]:
    at = timezone.now()
    fresh = [event for event in events if event.kind == PROPOSED and at - event.at <= notices.TOLD_WITHIN]
    if not fresh:
        return []
    asked = _asked(users)
    choices = notices.choices_of(asked.keys())
    frames = []
    for event in fresh:
        for pk, language in asked.items():
            ways = choices[pk].ways_for(notices.PROPOSAL, at)
            if ways & {notices.BADGE, notices.TOAST, notices.SOUND}:
                fields = {
                    "id": event.id,
                    "conv": NO_CONVERSATION,
                    "kind": notices.PROPOSAL,
                    **said(event, language),
                    "badge": notices.BADGE in ways,
                    "toast": notices.TOAST in ways,
                    "sound": notices.SOUNDS[notices.PROPOSAL] if notices.SOUND in ways else "",
                    "volume": choices[pk].volume,
                    "rings": False,
                }
                frames.append((pk, NO_CONVERSATION, fields))
    return frames


@together
def plan(events: Sequence[Event], at: datetime) -> None:
    """Record `notice.planned` for each push that shall leave."""
    fresh = [event for event in events if at - event.at <= notices.TOLD_WITHIN]
    choices = notices.choices_of(_asked().keys()) if fresh else {}
    facts = [
        Fact("notice.planned", data={"user": pk, "kind": notices.PROPOSAL, "of": event.pk, "ways": [notices.PUSH]})
        for event in fresh
        for pk, choice in sorted(choices.items())
        if notices.PUSH in choice.ways_for(notices.PROPOSAL, at)
    ]
    record_all(facts, at=at)


def _asked(among: Iterable[int] | None = None) -> dict[int, str]:
    """Who may open incidents, with their languages."""
    found = User.objects.filter(is_active=True).exclude(role=User.Role.VIEWER)
    if among is not None:
        found = found.filter(pk__in=list(among))
    return dict(found.order_by("pk").values_list("pk", "language"))


def said(event: Any, language: str) -> dict[str, str]:
    """Title, text and address of what was proposed, in the reader's language."""
    what, count = event.data.get("what", ""), event.data.get("count", 0)
    with override(language):
        if count:
            text = ngettext(
                "%(count)d ticket on %(what)s: open an incident?",
                "%(count)d tickets on %(what)s: open an incident?",
                count,
            ) % {"count": count, "what": what}
        else:
            text = _("%(why)s: open an incident for %(what)s?") % {"why": event.data.get("why", ""), "what": what}
        return {"title": _("Is this an incident?"), "text": text, "url": event.data.get("url", "")}
