"""Mails to subscribers that come back: an address that does not exist is told nothing more; another one after failing
for days.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from helpdesk.events.actions import Fact, record
from status import mail_ids
from status.models import Notice, Subscriber

SUSPENDED_AFTER: Final = timedelta(days=2)
# What came back longer ago than that was another trouble.
FORGIVEN_AFTER: Final = timedelta(days=30)
SUSPENDED: Final = "subscriber.suspended"


def came_back(names: Iterable[str], reason: str, *, is_final: bool, is_unknown: bool, at: datetime) -> bool:
    """Whether a bounce is about one of our mails, told by `names`: where it came to, and the Message-IDs it speaks of.
    `is_final` ones count against the subscriber, `is_unknown` says that there is no such mailbox.
    """
    found = next(filter(None, map(mail_ids.subscriber_in, names)), None)
    if found is None:
        return False
    if is_final:
        _count(found, reason, is_unknown=is_unknown, at=at)
    return True


def refused(subscriber_id: int, reason: str, *, at: datetime) -> None:
    """The server would not take a mail to them."""
    _count(subscriber_id, reason, is_unknown="5.1.1" in reason, at=at)


@transaction.atomic
def _count(subscriber_id: int, reason: str, *, is_unknown: bool, at: datetime) -> None:
    subscriber = Subscriber.objects.select_for_update(of=("self",)).filter(pk=subscriber_id).first()
    if subscriber is None or subscriber.status != Subscriber.Status.ACTIVE:
        return
    since = subscriber.failing_since
    if since is None or since < at - FORGIVEN_AFTER:
        since = at
    subscriber.failing_since, subscriber.trouble = since, reason[:300]
    subscriber.save(update_fields=["failing_since", "trouble"])
    if is_unknown or at - since >= SUSPENDED_AFTER:
        suspend(subscriber, reason, at=at)


@transaction.atomic
def suspend(subscriber: Subscriber, reason: str, *, at: datetime) -> None:
    """Tell them nothing until they ask again, and keep why."""
    active = Subscriber.objects.filter(pk=subscriber.pk, status=Subscriber.Status.ACTIVE)
    if not active.update(status=Subscriber.Status.SUSPENDED, trouble=reason[:300]):
        return
    waiting = Notice.objects.filter(subscriber=subscriber, status=Notice.Status.PENDING)
    waiting.update(status=Notice.Status.FAILED, due_at=None, error="the subscriber is suspended")
    record(Fact(SUSPENDED, data={"subscriber": subscriber.pk, "why": reason[:300]}), at=at)
