"""Hiding, muting, blocking, reporting: each with its reason, what stood there, who did it, and its way back.

Criticism is no abuse. What the network has no call for is done by hand and written down all the same.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import Actor
from helpdesk.events.nudge import nudge
from helpdesk.events.outcomes import Ambiguous, DeliveryError, RetryLater
from helpdesk.events.secrets import SecretUnreadable
from social import accounts
from social.leases import Lease
from social.models import ModerationAction, Person, Post, Thread
from social.network import Why, network

TASK: Final = "social.tasks.moderate"
MODERATED: Final = "social.moderated"
"""Something was done against a post or a person, or undone: {action, kind, reason}."""
Kind = ModerationAction.Kind
OPPOSITE: Final[Mapping[str, Kind]] = {
    Kind.HIDE: Kind.UNHIDE,
    Kind.MUTE: Kind.UNMUTE,
    Kind.BLOCK: Kind.UNBLOCK,
}
# Only an admin takes these steps (social.permissions).
GRAVE: Final = frozenset({Kind.BLOCK, Kind.DELETE})
LEASE: Final = Lease((5, 30, 120, 600))
MOST_ATTEMPTS: Final = 12


class NotReversible(ValueError):
    """It has no way back, or was taken back already."""


@transaction.atomic
def act(
    kind: Kind,
    user: User,
    reason: str,
    *,
    at: datetime,
    post: Post | None = None,
    person: Person | None = None,
    words: str = "",
) -> ModerationAction:
    """Do it, on record. A person's own posts are named by `post` too, where that is the occasion."""
    made = _write(kind, user, reason, words, post, person, None, at)
    _apply(kind, post, person, at)
    return made


@transaction.atomic
def reverse(action_id: int, user: User, reason: str, *, at: datetime, words: str = "") -> ModerationAction:
    """Take it back, on record. Raises NotReversible."""
    action = ModerationAction.objects.select_for_update(of=("self",)).select_related("post", "person").get(pk=action_id)
    opposite = OPPOSITE.get(action.kind)
    if opposite is None or ModerationAction.objects.filter(reverses=action).exists():
        raise NotReversible("this cannot be taken back, or was already")
    made = _write(opposite, user, reason, words, action.post, action.person, action, at)
    _apply(opposite, action.post, action.person, at)
    return made


def _write(
    kind: Kind,
    user: User,
    reason: str,
    words: str,
    post: Post | None,
    person: Person | None,
    reverses: ModerationAction | None,
    at: datetime,
) -> ModerationAction:
    subject = post or person
    assert subject is not None, "something or somebody it is against"
    account = subject.account
    conversation_id = post.message.conversation_id if post is not None and post.message is not None else None
    if conversation_id is None and person is not None:
        conversation_id = Thread.objects.filter(person=person).values_list("pk", flat=True).order_by("-pk").first()
    has_call = kind in network(account.network).can
    action = ModerationAction.objects.create(
        account=account,
        kind=kind,
        post=post,
        person=person,
        conversation_id=conversation_id,
        reason=reason,
        words=words[:500],
        snapshot=_snapshot(post, person),
        by=user,
        at=at,
        reverses=reverses,
        state=ModerationAction.State.WANTED if has_call else ModerationAction.State.BY_HAND,
        due_at=at if has_call else None,
    )
    data = {"action": action.pk, "kind": str(kind), "reason": reason}
    if post is not None and post.message_id is not None:
        data["message"] = post.message_id
    record(Fact(MODERATED, conversation_id, Actor.agent(user), data=data), at=at)
    if has_call:
        nudge(TASK)
    return action


def _snapshot(post: Post | None, person: Person | None) -> dict[str, Any]:
    """What stood there, so that the reason can be judged later."""
    kept: dict[str, Any] = {}
    if post is not None:
        kept["post"] = {"id": post.external_id, "text": post.text, "url": post.url, "at": post.at.isoformat()}
    if person is not None:
        kept["person"] = {"id": person.external_id, "handle": person.handle, "name": person.name}
    return kept


def _apply(kind: Kind, post: Post | None, person: Person | None, at: datetime) -> None:
    """With us it holds at once, whatever the network says."""
    if kind in (Kind.HIDE, Kind.UNHIDE) and post is not None:
        Post.objects.filter(pk=post.pk).update(hidden_at=at if kind == Kind.HIDE else None)
    if person is None:
        return
    if kind in (Kind.MUTE, Kind.UNMUTE):
        Person.objects.filter(pk=person.pk).update(muted_at=at if kind == Kind.MUTE else None)
    if kind in (Kind.BLOCK, Kind.UNBLOCK):
        Person.objects.filter(pk=person.pk).update(blocked_at=at if kind == Kind.BLOCK else None)


def carry_out_due(*, at: datetime, most: int = 50) -> int:
    """Tell the networks what is due; how many were told."""
    actions = ModerationAction.objects.select_related("account", "post__person", "person")
    return LEASE.each(actions, _carry_out, at=at, most=most)


def _carry_out(action: ModerationAction, at: datetime) -> None:
    post = action.post.external_id if action.post else ""
    who = action.person or (action.post.person if action.post else None)
    person = who.external_id if who else ""
    why = Why(action.reason, action.words)
    try:
        connection = accounts.fresh(action.account, at=at)
        network(action.account.network).moderate(connection, action.kind, post=post, person=person, why=why)
    except SecretUnreadable as error:
        _end(action, ModerationAction.State.FAILED, str(error))
    except DeliveryError as error:
        accounts.failed(action.account, error, at=at)
        # Hidden twice is hidden once: what may have happened is simply done again.
        if isinstance(error, RetryLater | Ambiguous) and action.attempts < MOST_ATTEMPTS:
            wait = LEASE.wait(action.attempts, error.after if isinstance(error, RetryLater) else None)
            ModerationAction.objects.filter(pk=action.pk).update(due_at=at + wait, error=error.reason[:300])
        else:
            _end(action, ModerationAction.State.FAILED, error.reason)
    else:
        _end(action, ModerationAction.State.DONE, "")


def _end(action: ModerationAction, state: ModerationAction.State, error: str) -> None:
    ModerationAction.objects.filter(pk=action.pk).update(state=state, due_at=None, error=error[:300])


def mark_done(action_id: int) -> bool:
    """Somebody has done by hand what the network has no call for, or what failed."""
    by_hand = ModerationAction.objects.filter(
        pk=action_id, state__in=[ModerationAction.State.BY_HAND, ModerationAction.State.FAILED]
    )
    return bool(by_hand.update(state=ModerationAction.State.DONE, error=""))
