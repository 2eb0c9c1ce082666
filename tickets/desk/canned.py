"""Canned replies: which ones an agent has, and one filled in for a conversation."""

from django.db.models import F, Q, QuerySet

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from tickets.desk import variables
from tickets.desk.models import CannedReply

MOST = 30


def of(user: User) -> QuerySet[CannedReply]:
    """The agent's own, their teams' and everybody's, the most used first."""
    shared = Q(owner=None, team=None) | Q(owner=user) | Q(team__in=user.teams.values("pk"))
    return CannedReply.objects.filter(shared).order_by("-uses", "shortcut", "pk")


def found(user: User, typed: str) -> QuerySet[CannedReply]:
    """Those whose shortcut begins so, or whose name has it, at most MOST."""
    typed = typed.strip()[:40]
    wanted = of(user)
    if typed:
        wanted = wanted.filter(Q(shortcut__istartswith=typed) | Q(name__icontains=typed))
    return wanted[:MOST]


def use(reply: CannedReply, conversation: Conversation, user: User) -> str:
    """Its text filled in for this conversation; the use is counted."""
    CannedReply.objects.filter(pk=reply.pk).update(uses=F("uses") + 1)
    return variables.fill(reply.text, variables.values_of(conversation, user))
