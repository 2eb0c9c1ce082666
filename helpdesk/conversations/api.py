"""`/api/v1/conversations/` and `/api/v1/tags/`."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import opening
from helpdesk.conversations.filters import ConversationFilters
from helpdesk.conversations.incoming import UnknownPlan
from helpdesk.conversations.models import Conversation, Tag
from helpdesk.conversations.rows import conversation_row, conversation_rows, shown
from helpdesk.conversations.serializers import (
    ConversationChangesSerializer,
    ConversationSerializer,
    NewConversationSerializer,
    TagSerializer,
)
from helpdesk.conversations.visibility import visible_to
from helpdesk.customers.api_configured import Configured
from helpdesk.customers.api_fields import ID, validated
from helpdesk.customers.permissions import agent_of
from helpdesk.events.actors import Actor

_NEW = NewConversationSerializer()


class Conflict(APIException):
    status_code = 409
    default_code = "conflict"


class ConversationViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """Every request of every customer, newest first."""

    queryset = Conversation.objects.all()
    serializer_class = ConversationSerializer
    filterset_class = ConversationFilters
    lookup_value_regex = ID
    conversation_kwarg = "pk"

    def get_queryset(self) -> Any:
        return conversation_rows().filter(visible_to(agent_of(self.request)))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([shown(row) for row in rows])

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(one(int(pk)))

    @extend_schema(request=NewConversationSerializer, responses=dict.fromkeys((200, 201), ConversationSerializer))
    def create(self, request: Request) -> Response:
        """Open one: 201, or 200 with the first one when the `client_id` was used before."""
        given = validated(_NEW, request.data)
        open_it = opening.begin_conversation if given["kind"] == "outbound" else opening.open_conversation
        try:
            pk, is_new = open_it(_opening(given), agent_of(request), at=timezone.now())
        except (opening.UnknownCustomer, opening.NoAddress) as error:
            raise ValidationError({"customer": [str(error)]}) from error
        except UnknownPlan as error:
            raise Conflict(f"No plan holds for this customer: {error}.") from error
        return Response(one(pk), status=201 if is_new else 200)

    @extend_schema(request=ConversationChangesSerializer, responses={200: ConversationSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given; taking it (`assignee`) dispatches it, a team does not."""
        given = ConversationChangesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changes = conversations.Changes(**given.validated_data)
        try:
            conversations.change(int(pk), changes, actor=Actor.agent(agent_of(request)), at=timezone.now())
        except conversations.CannotSleep as error:
            raise ValidationError({"snoozed_until": ["Only what is not done, until a time to come."]}) from error
        except Conversation.DoesNotExist as error:
            raise NotFound("There is no such conversation.") from error
        return Response(one(int(pk)))


def one(conversation_id: int) -> dict[str, Any]:
    """One conversation as the contract has it. Raises NotFound."""
    row = conversation_row(conversation_id)
    if row is None:
        raise NotFound("There is no such conversation.")
    return shown(row)


def _opening(given: dict[str, Any]) -> opening.Opening:
    customer, team = given["customer"], given["team"]
    return opening.Opening(
        text=given["text"],
        customer=customer if isinstance(customer, int) else (customer["email"], customer["name"]),
        channel=given["channel"],
        subject=given["subject"],
        priority=given["priority"],
        team_id=team.pk if team else None,
        service_ids=tuple(service.pk for service in given["services"]),
        tags=tuple(tag.strip() for tag in given["tags"] if tag.strip()),
        client_id=given["client_id"],
    )


class TagViewSet(Configured):
    """Words conversations are found by. Naming a new one on a conversation makes it."""

    queryset = Tag.objects.all()
    serializer_class = TagSerializer
