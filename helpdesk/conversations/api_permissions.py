"""Everything below `/conversations/{id}/` is there for those who may see the conversation, and missing for others."""

from typing import TYPE_CHECKING

from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from helpdesk.conversations.visibility import may_see
from helpdesk.customers.permissions import agent_of

if TYPE_CHECKING:
    from rest_framework.views import APIView


class SeesConversation(BasePermission):
    """404 rather than 403: whether there is one is nobody else's business. Views without one are not concerned."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        named = view.kwargs.get(getattr(view, "conversation_kwarg", "conversation_id"))
        if named is not None:
            must_see(request, int(named))
        return True


def must_see(request: Request, conversation_id: int) -> None:
    """Raises NotFound where this agent sees no such conversation."""
    if not may_see(agent_of(request), conversation_id):
        raise NotFound("There is no such conversation.")
