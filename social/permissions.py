"""Who may do what on the networks, once somebody may see the conversation (helpdesk.conversations.visibility).

Answering, opening tickets, logging posts and marking what is abusive is for whoever works (the desk's `agent_view`).
"""

from helpdesk.customers.models import User
from helpdesk.customers.permissions import may_configure, may_work
from social.models import Approval, ModerationAction
from social.moderating import GRAVE, OPPOSITE

_GRAVE_BOTH_WAYS = GRAVE | {OPPOSITE[kind] for kind in GRAVE if kind in OPPOSITE}


def may_override(user: User) -> bool:
    """Let private data stand in public, for a reason on record."""
    return may_configure(user)


def may_decide(user: User, approval: Approval) -> bool:
    """Be the second person who reads a public answer."""
    return may_work(user) and approval.by_id != user.pk


def may_withdraw(user: User, approval: Approval) -> bool:
    """Take back what waits: who wrote it, or an admin."""
    return may_work(user) and (approval.by_id == user.pk or may_configure(user))


def may_moderate(user: User, kind: str) -> bool:
    """Take such a step, or take it back: the grave ones are the admins'."""
    return may_configure(user) if kind in _GRAVE_BOTH_WAYS else may_work(user)


def may_reverse(user: User, action: ModerationAction) -> bool:
    return may_moderate(user, action.kind)
