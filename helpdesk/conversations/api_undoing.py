"""Second thoughts: a message sent again, a reply taken back before it leaves, changes undone."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.conversations import answers, undoing
from helpdesk.conversations.api import Conflict, one
from helpdesk.conversations.models import Message
from helpdesk.conversations.serializers import ConversationSerializer, MessageSerializer
from helpdesk.customers.permissions import agent_of
from helpdesk.numbers import LARGEST_ID


def message_of(conversation_id: int, message_id: int) -> Message:
    """A message of this conversation. Raises NotFound."""
    rows = Message.objects.select_related("agent", "customer")
    found = rows.filter(pk=message_id, conversation=conversation_id).first()
    if found is None:
        raise NotFound("There is no such message.")
    return found


class MessageRetry(APIView):
    """Send a message again whose delivery failed; 409 where it has not."""

    @extend_schema(request=None, responses={200: MessageSerializer})
    def post(self, request: Request, conversation_id: int, message_id: int) -> Response:
        message = message_of(conversation_id, message_id)
        try:
            answers.retry(message.pk, agent_of(request), at=timezone.now())
        except answers.NotFailed as error:
            raise Conflict("This message has not failed: it was sent, or is being sent.") from error
        return Response(MessageSerializer(message_of(conversation_id, message_id)).data)


class MessageTakingBack(APIView):
    """Take one's own reply back before it leaves, with what it changed; 409 where it has left."""

    @extend_schema(request=None, responses={200: ConversationSerializer})
    def post(self, request: Request, conversation_id: int, message_id: int) -> Response:
        message_of(conversation_id, message_id)
        try:
            undoing.take_back(message_id, agent_of(request), at=timezone.now())
        except (undoing.TooLate, Message.DoesNotExist) as error:
            raise Conflict("The message has left, or is another agent's.") from error
        return Response(one(conversation_id))


@extend_schema_serializer(examples=[OpenApiExample("One's last change", value={"after": 11, "until": 12})])
class UndoSerializer(serializers.Serializer[dict[str, Any]]):
    after = serializers.IntegerField(min_value=0, max_value=LARGEST_ID, help_text="`seq` of the last event that stays.")
    until = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, help_text="`seq` of the last event to be undone."
    )


class Undo(APIView):
    """Take back one's own changes of the last minute, by the numbers of their events; 409 where nothing can be."""

    @extend_schema(request=UndoSerializer, responses={200: ConversationSerializer})
    def post(self, request: Request, conversation_id: int) -> Response:
        given = UndoSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            undoing.undo(conversation_id, agent_of(request), **given.validated_data, at=timezone.now())
        except undoing.TooLate as error:
            raise Conflict("It is too late to take that back, or somebody has changed it since.") from error
        return Response(one(conversation_id))
