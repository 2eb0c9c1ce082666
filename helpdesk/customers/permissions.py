"""Who may do what. One place an object; views, API and sockets ask here."""

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from helpdesk.customers.models import User

if TYPE_CHECKING:
    # At run time it would be a circle: the framework's views ask for these classes while they are being defined.
    from rest_framework.views import APIView

SAFE = ("GET", "HEAD", "OPTIONS")


def is_agent(user: object) -> bool:
    return isinstance(user, User) and user.is_active


def may_work(user: object) -> bool:
    """Answer, assign, change: every agent's but the viewers', who read and write notes."""
    return isinstance(user, User) and user.is_active and user.role != User.Role.VIEWER


def may_configure(user: object) -> bool:
    """Plans, policies, calendars, schedules, mailboxes, agents: the admin's."""
    return isinstance(user, User) and user.is_active and user.is_admin


class IsAgent(BasePermission):
    """Agents work; viewers read, and send where the view says `viewers_send = True` and looks for itself at what.

    Which conversations an agent sees is said in `helpdesk.conversations.visibility`.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method in SAFE or getattr(view, "viewers_send", False):
            return is_agent(request.user)
        return may_work(request.user)


class IsAdminOrReads(BasePermission):
    """Agents read what admins configure."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return is_agent(request.user) and (request.method in SAFE or may_configure(request.user))


class IsAdmin(BasePermission):
    """What only admins may even read: where webhooks lead, who did what."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return may_configure(request.user)


def may_change_rules_of(user: object, owner: User) -> bool:
    """How somebody wants to be called is theirs to say; an admin may say it for everybody."""
    return is_agent(user) and (user == owner or may_configure(user))


class IsOwnerOrAdmin(BasePermission):
    """Rows with a `user`: agents have their own, admins everybody's."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return is_agent(request.user)

    def has_object_permission(self, request: Request, view: "APIView", obj: Any) -> bool:
        return may_change_rules_of(request.user, obj.user)


def agent_of(request: Request) -> User:
    """The agent behind a request that a permission class let in."""
    user = request.user
    assert isinstance(user, User), "the permission classes let only agents in"
    return user
