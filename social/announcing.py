"""Telling everybody: one text becomes a post on each chosen account, each sent once, with its own state.

Incidents announce themselves: on X every update, elsewhere outages only, so that few posts mean something there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from helpdesk.conversations import incidents
from helpdesk.customers.models import User
from helpdesk.events import private_data
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM, Actor
from helpdesk.events.models import Event
from helpdesk.events.nudge import nudge
from helpdesk.events.outcomes import Ambiguous, DeliveryError, RetryLater
from helpdesk.events.secrets import SecretUnreadable
from social import accounts, spending
from social.leases import Lease
from social.models import Account, Announcement, AnnouncementPost
from social.network import CannotTell, Count, Outgoing, Sent, network

TASK: Final = "social.tasks.announce"
PUBLISHED: Final = "announcement.published"
"""An announcement goes out: {announcement}."""
LEASE: Final = Lease((5, 30, 120, 600, 1800))
MOST_ATTEMPTS: Final = 50
# Where every update is told; on the others only what many feel.
ALL_UPDATES: Final = frozenset({"x", "mastodon", "bluesky"})
# The id of what somebody has posted: the network's own, which an answer would name, is not known.
_BY_HAND: Final = "hand:"
_OPEN: Final = (Announcement.State.DRAFT, Announcement.State.WAITING, Announcement.State.SCHEDULED)


class NotOpen(ValueError):
    """It has gone out or was withdrawn: a new one must be written."""


class SecondReader(ValueError):
    """Who wrote it does not approve it."""


class TooLong(ValueError):
    """Words of their own for an account are longer than its network takes: `account`, `count`."""

    def __init__(self, account: Account, count: Count) -> None:
        super().__init__(f"{account}: {count.length} of {count.limit}")
        self.account, self.count = account, count


class Exposes(ValueError):
    """The text holds what must never stand in public: `kinds`."""

    def __init__(self, kinds: Sequence[str]) -> None:
        super().__init__(", ".join(kinds))
        self.kinds = list(kinds)


@transaction.atomic
def write(
    text: str,
    chosen: Sequence[Account],
    user: User,
    *,
    at: datetime,
    link: str = "",
    texts: Mapping[int, str] | None = None,
) -> Announcement:
    """A draft of company news. `texts` are words of their own for an account, by its id. Raises Exposes, TooLong."""
    _check(text, *(texts or {}).values())
    made = Announcement.objects.create(kind=Announcement.Kind.NEWS, text=text, link=link, by=user, at=at)
    _plan_posts(made, chosen, texts or {})
    return made


@transaction.atomic
def rewrite(
    announcement_id: int,
    text: str,
    chosen: Sequence[Account],
    *,
    link: str = "",
    texts: Mapping[int, str] | None = None,
) -> Announcement:
    """Other words or accounts, while it has not gone out; it is a draft again. Raises NotOpen, Exposes, TooLong."""
    _check(text, *(texts or {}).values())
    announcement = _open(announcement_id)
    announcement.text, announcement.link = text, link
    announcement.state, announcement.publish_at = Announcement.State.DRAFT, None
    announcement.approved_by = announcement.approved_at = None
    announcement.save()
    announcement.posts.all().delete()
    _plan_posts(announcement, chosen, texts or {})
    return announcement


def _check(*texts: str) -> None:
    found = sorted({kind for text in texts for kind in private_data.kinds(text, own=settings.PUBLIC_CONTACTS)})
    if found:
        raise Exposes(found)


def adapted(account: Account, text: str, link: str, own: str = "") -> tuple[str, Count]:
    """What an account would say, its own words where there are any, and how long its network finds that."""
    way = network(account.network)
    words = own.strip() or way.fit(text, link)
    return words, way.count(words, is_public=True)


def _plan_posts(announcement: Announcement, chosen: Sequence[Account], texts: Mapping[int, str]) -> None:
    said = {one.pk: adapted(one, announcement.text, announcement.link, texts.get(one.pk, "")) for one in chosen}
    for account in chosen:
        if not said[account.pk][1].fits:
            raise TooLong(account, said[account.pk][1])
    AnnouncementPost.objects.bulk_create(
        [
            AnnouncementPost(
                announcement=announcement,
                account=account,
                text=said[account.pk][0],
                client_id=uuid4(),
            )
            for account in chosen
        ]
    )


@transaction.atomic
def submit(announcement_id: int, *, publish_at: datetime) -> Announcement:
    """It is to go out at that time, once a second person has read it where one of its accounts wants that."""
    announcement = _open(announcement_id)
    needs = announcement.posts.filter(account__needs_approval=True).exists()
    announcement.publish_at = publish_at
    announcement.state = Announcement.State.WAITING if needs else Announcement.State.SCHEDULED
    announcement.save(update_fields=["publish_at", "state"])
    nudge(TASK)
    return announcement


@transaction.atomic
def approve(announcement_id: int, user: User, *, at: datetime) -> Announcement:
    """A second person has read it. Raises NotOpen, SecondReader."""
    announcement = _open(announcement_id)
    if announcement.state != Announcement.State.WAITING:
        raise NotOpen("it does not wait for approval")
    if announcement.by_id == user.pk:
        raise SecondReader("somebody else must read it")
    announcement.state = Announcement.State.SCHEDULED
    announcement.approved_by, announcement.approved_at = user, at
    announcement.save(update_fields=["state", "approved_by", "approved_at"])
    nudge(TASK)
    return announcement


@transaction.atomic
def withdraw(announcement_id: int) -> None:
    """It does not go out. Raises NotOpen."""
    announcement = _open(announcement_id)
    announcement.state, announcement.publish_at = Announcement.State.WITHDRAWN, None
    announcement.save(update_fields=["state", "publish_at"])


def _open(announcement_id: int) -> Announcement:
    announcement = Announcement.objects.select_for_update().get(pk=announcement_id)
    if announcement.state not in _OPEN:
        raise NotOpen("it has gone out or was withdrawn")
    return announcement


def follow_incident(event: Event, at: datetime) -> None:
    """The handler of `incident.published`: an update that is for everybody is announced, once."""
    told = incidents.announced(event.data["update"])
    if told is None:
        return
    chosen = [
        account
        for account in Account.objects.filter(is_active=True).order_by("pk")
        if "publish" in network(account.network).can and (told.is_outage or account.network in ALL_UPDATES)
    ]
    made, is_new = Announcement.objects.get_or_create(
        source=told.source,
        defaults={
            "kind": Announcement.Kind.STATUS,
            "state": Announcement.State.SCHEDULED,
            "text": told.text,
            "link": told.link,
            "series": told.series,
            "at": at,
            "publish_at": at,
        },
    )
    if is_new:
        _plan_posts(made, chosen, {})
        nudge(TASK)


def announce_due(*, at: datetime) -> int:
    """Let what is due go out: announcements become posts, posts leave; how many of both."""
    return _publish_due(at) + _send_due(at)


def _publish_due(at: datetime) -> int:
    due = Announcement.objects.filter(state=Announcement.State.SCHEDULED, publish_at__lte=at)
    published = 0
    for pk in due.order_by("publish_at").values_list("pk", flat=True)[:100]:
        published += _publish(pk, at)
    return published


@transaction.atomic
def _publish(pk: int, at: datetime) -> bool:
    held = Announcement.objects.select_for_update(skip_locked=True).filter(pk=pk)
    announcement = held.filter(state=Announcement.State.SCHEDULED, publish_at__lte=at).first()
    if announcement is None:
        return False
    announcement.state, announcement.published_at = Announcement.State.PUBLISHED, at
    announcement.save(update_fields=["state", "published_at"])
    announcement.posts.update(due_at=at)
    actor = SYSTEM if announcement.by is None else Actor.agent(announcement.by)
    record(Fact(PUBLISHED, None, actor, data={"announcement": announcement.pk}), at=at)
    return True


def _send_due(at: datetime, most: int = 100) -> int:
    """Posts of one series and account in their order. One that was being sent when its worker died comes with the state
    `sending`.
    """
    # A later update stands below an earlier one: while that one is tried again, this one waits.
    earlier = AnnouncementPost.objects.filter(
        account=OuterRef("account"),
        announcement__series=OuterRef("announcement__series"),
        pk__lt=OuterRef("pk"),
        due_at__isnull=False,
    )
    posts = AnnouncementPost.objects.exclude(~Q(announcement__series="") & Exists(earlier))
    return LEASE.each(posts.select_related("announcement", "account"), _send, at=at, most=most)


def _send(post: AnnouncementPost, at: datetime) -> None:
    account, way = post.account, network(post.account.network)
    if "publish" not in way.can:
        _end(post, AnnouncementPost.State.BY_HAND, "this network has no call for it: post it there and mark it")
        return
    cannot = accounts.may_send(account)
    if cannot:
        _end(post, AnnouncementPost.State.NOT_CONNECTED, cannot)
        return
    outgoing = _outgoing(post)
    try:
        connection = accounts.fresh(account, at=at)
        sent = way.find(connection, outgoing) if post.state == AnnouncementPost.State.SENDING else None
        if sent is None:
            AnnouncementPost.objects.filter(pk=post.pk).update(state=AnnouncementPost.State.SENDING)
            sent = way.send(connection, outgoing)
    except CannotTell:
        _end(post, AnnouncementPost.State.FAILED, "we were stopped while posting: look there before it is posted again")
    except SecretUnreadable as error:
        _end(post, AnnouncementPost.State.FAILED, str(error))
    except DeliveryError as error:
        accounts.failed(account, error, at=at)
        _judge(post, error, at)
    else:
        spending.note(account, way.costs("publish", post.text), at=at)
        _sent(post, sent, at)


def _outgoing(post: AnnouncementPost) -> Outgoing:
    """Later updates of a series answer its first post, so that they stand below it."""
    series = post.announcement.series
    earlier = AnnouncementPost.objects.filter(
        account=post.account, announcement__series=series, state=AnnouncementPost.State.SENT
    ).exclude(external_id__startswith=_BY_HAND)
    first = earlier.order_by("pk").first() if series else None
    last = earlier.order_by("pk").last() if series else None
    return Outgoing(
        text=post.text,
        client_id=post.client_id,
        at=post.announcement.published_at or post.announcement.at,
        is_public=True,
        answers=last.external_id if last else "",
        answers_kind="ours" if last else "",
        root=first.external_id if first else "",
        names_us=True,
        since=last.external_id if last else "",
    )


def _judge(post: AnnouncementPost, error: DeliveryError, at: datetime) -> None:
    if isinstance(error, RetryLater) and post.attempts < MOST_ATTEMPTS:
        wait = LEASE.wait(post.attempts, error.after)
        AnnouncementPost.objects.filter(pk=post.pk).update(
            state=AnnouncementPost.State.PENDING, due_at=at + wait, error=error.reason[:300]
        )
    elif isinstance(error, Ambiguous) and post.attempts < len(LEASE.backoff):
        # It stays `sending`: the network is asked before it is tried again.
        wait = LEASE.wait(post.attempts)
        AnnouncementPost.objects.filter(pk=post.pk).update(due_at=at + wait, error=error.reason[:300])
    else:
        _end(post, AnnouncementPost.State.FAILED, error.reason)


def _sent(post: AnnouncementPost, sent: Sent, at: datetime) -> None:
    AnnouncementPost.objects.filter(pk=post.pk).update(
        state=AnnouncementPost.State.SENT,
        external_id=sent.id[:250],
        url=sent.url[:1000],
        sent_at=at,
        due_at=None,
        error="",
    )


def _end(post: AnnouncementPost, state: AnnouncementPost.State, error: str) -> None:
    AnnouncementPost.objects.filter(pk=post.pk).update(state=state, due_at=None, error=error[:300])


@transaction.atomic
def retry(post_id: int, *, at: datetime) -> bool:
    """Send one again that has failed or was not connected; False where it is none."""
    again = AnnouncementPost.objects.filter(
        pk=post_id, state__in=[AnnouncementPost.State.FAILED, AnnouncementPost.State.NOT_CONNECTED]
    ).update(state=AnnouncementPost.State.PENDING, due_at=at, attempts=0, error="")
    nudge(TASK)
    return bool(again)


@transaction.atomic
def mark_posted(post_id: int, url: str, *, at: datetime) -> bool:
    """Somebody has posted it by hand; False where that cannot be."""
    open_states = [
        AnnouncementPost.State.FAILED,
        AnnouncementPost.State.NOT_CONNECTED,
        AnnouncementPost.State.BY_HAND,
    ]
    return bool(
        AnnouncementPost.objects.filter(pk=post_id, state__in=open_states).update(
            state=AnnouncementPost.State.SENT,
            external_id=f"{_BY_HAND}{post_id}",
            url=url[:1000],
            sent_at=at,
            due_at=None,
            error="",
        )
    )
