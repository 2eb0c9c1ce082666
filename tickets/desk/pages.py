"""The list of pages: open ones first, then the newest, in keyset pages."""

from dataclasses import dataclass

from django.db.models import Q

from helpdesk.customers.models import User
from helpdesk.oncall.models import Page
from helpdesk.oncall.visibility import visible_pages

PAGE = 50
# Open pages are few; past this many the list shows the oldest of them, which have waited longest.
MOST_OPEN = 200


@dataclass(frozen=True, slots=True)
class Pages:
    """`before` is the id before which the next part begins, 0 at the end."""

    open: list[Page]
    resolved: list[Page]
    before: int


def read(user: User, before: int = 0) -> Pages:
    """All open pages with the first part of the resolved ones; further parts only resolved ones."""
    related = visible_pages(user).select_related("acknowledged_by", "conversation").prefetch_related("deliveries__user")
    related = related.defer("conversation__search")
    is_open = Q(state__in=(Page.State.TRIGGERED, Page.State.ACKNOWLEDGED))
    # What still rings before what somebody is on ("triggered", "acknowledged"), urgent before low ("high", "low").
    waiting = related.filter(is_open).order_by("-state", "urgency", "triggered_at", "id")[: 0 if before else MOST_OPEN]
    resolved = related.filter(state=Page.State.RESOLVED)
    if before:
        resolved = resolved.filter(pk__lt=before)
    found = list(resolved.order_by("-id")[: PAGE + 1])
    return Pages(list(waiting), found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else 0)
