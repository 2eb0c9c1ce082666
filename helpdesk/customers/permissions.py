"""Who may do what. One place an object; views, API and sockets ask here."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from helpdesk.customers.models import User

if TYPE_CHECKING:
    # At run time it would be a circle: the framework's views ask for these classes while they are being defined.
    from rest_framework.views import APIView

SAFE = ("GET", "HEAD", "OPTIONS")


def is_agent(user: object) -> bool:
    return isinstance(user, User) and user.is_active


def may_configure(user: object) -> bool:
    """Plans, policies, calendars, schedules, mailboxes, agents: the admin's."""
    return isinstance(user, User) and user.is_active and user.is_admin


class IsAgent(BasePermission):
    """Every agent works on every conversation; private teams come with their own rule here."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return is_agent(request.user)


class IsAdminOrReads(BasePermission):
    """Agents read what admins configure."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return is_agent(request.user) and (request.method in SAFE or may_configure(request.user))


def agent_of(request: Request) -> User:
    """The agent behind a request that a permission class let in."""
    user = request.user
    assert isinstance(user, User), "the permission classes let only agents in"
    return user
