"""What the desk says of a conversation on a network: as whom we answer whom, in public or not, what is allowed now, and
what waits. For `NETWORK_DESK`; the desk has made sure that this agent may see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from helpdesk.customers.models import User
from social import answering, moving, on_behalf, permissions, topics
from social.models import Account, Approval, Post, Thread, TicketClaim, Topic
from social.network import network

# Where a reply in public needs a mention first, unless the account has an enterprise contract: the network's own rule.
_SUMMONED_ONLY: Final = frozenset({"x"})
_SOON: Final = timedelta(hours=2)
_AGAINST_PERSONS: Final = ("mute", "block", "report")
_TOPICS_OF: Final = 5


@dataclass(frozen=True, slots=True)
class Pane:
    """One conversation on a network, for one agent.

    `health` is the account's state where it is not simply connected. `is_summoned` is False where the network refuses
    a public reply; `dm_link` then leads to a private message, "" where the person does not allow one. `ticket` is the
    number of the one opened on their behalf, 0 for none; `claimable` those of this person that nobody has taken, in
    private threads alone. `against` are the steps that this agent may take against the person.
    """

    thread: Thread
    title: str
    health: str
    waits: str
    is_summoned: bool
    dm_link: str
    may_reply_in_private: bool
    window_is_over: bool
    window_ends_soon: bool
    link_price: str
    needs_second_reader: bool
    approvals: Sequence[Approval]
    topics: Sequence[Topic]
    ticket: int
    claimable: Sequence[int]
    against: Sequence[str]
    may_override: bool
    posts: int
    # The network has no call for public answers.
    is_by_hand: bool

    @property
    def undo_seconds(self) -> int:
        """How long an answer can be taken back."""
        is_slow = self.thread.is_public and not self.thread.is_manual
        return self.account.send_delay if is_slow else settings.UNDO_SEND_SECONDS

    @property
    def account(self) -> Account:
        return self.thread.account

    @property
    def is_public(self) -> bool:
        return self.thread.is_public


def facts(conversation_id: int, user: User, at: datetime) -> Pane | None:
    """None where the conversation is on no network. Five statements."""
    thread = Thread.objects.select_related("account", "person").filter(pk=conversation_id).first()
    if thread is None:
        return None
    account, way = thread.account, network(thread.account.network)
    theirs = list(
        Post.objects.filter(message__conversation=conversation_id, deleted_at=None)
        .exclude(person=None)
        .order_by("-at", "-pk")[:_TOPICS_OF]
    )
    last = theirs[0] if theirs else None
    opened, claimable = _tickets(thread)
    ends = thread.window_ends_at
    return Pane(
        thread=thread,
        title=way.title,
        health="" if thread.is_manual or account.state == Account.State.CONNECTED else account.state,
        waits=account.state_detail,
        is_summoned=_is_summoned(thread, last),
        dm_link=moving.direct_link(thread),
        may_reply_in_private=moving.comment_to_answer(thread, theirs, at=at) is not None,
        window_is_over=ends is not None and ends <= at,
        window_ends_soon=ends is not None and at < ends <= at + _SOON,
        link_price=link_price(account.network) if thread.is_public and not thread.is_manual else "",
        needs_second_reader=answering.needs_second_reader(thread),
        approvals=_waiting(conversation_id, user),
        topics=topics.found("\n".join(one.text for one in theirs)) if thread.is_public else (),
        ticket=opened,
        claimable=claimable,
        against=[kind for kind in _AGAINST_PERSONS if permissions.may_moderate(user, kind)],
        may_override=permissions.may_override(user),
        posts=len(theirs),
        is_by_hand=answering.is_by_hand(thread),
    )


def link_price(name: str) -> str:
    """What a public post with a link costs there, in dollars; "" where links cost nothing more."""
    way = network(name)
    plain, linked = way.costs("reply", "a"), way.costs("reply", "https://example.org/")
    if linked is None or (plain is not None and plain.amount == linked.amount):
        return ""
    return f"{linked.amount / 1_000_000:.2f}"


def _is_summoned(thread: Thread, last: Post | None) -> bool:
    if not thread.is_public or thread.is_manual or thread.account.network not in _SUMMONED_ONLY:
        return True
    return last is None or last.names_us or bool(thread.account.options.get("is_enterprise"))


def _waiting(conversation_id: int, user: User) -> list[Approval]:
    found = Approval.objects.filter(conversation=conversation_id, state=Approval.State.WAITING).select_related("by")
    found = found.prefetch_related("files")
    waiting = list(found.order_by("pk")[:20])
    for one in waiting:
        one.may_decide = permissions.may_decide(user, one)  # type: ignore[attr-defined]
        one.may_withdraw = permissions.may_withdraw(user, one)  # type: ignore[attr-defined]
    return waiting


def _tickets(thread: Thread) -> tuple[int, list[int]]:
    """The ticket opened for this thread, and those of this person that may still be claimed, where nobody else reads
    the link.
    """
    claims = TicketClaim.objects.filter(thread__person=thread.person_id).order_by("-pk")[:20]
    opened = next((one.conversation_id for one in claims if one.thread_id == thread.pk), 0)
    if thread.is_public:
        return opened, []
    return opened, [one.conversation_id for one in claims if one.claimed_at is None][: on_behalf.MOST_OFFERED]
