"""What is to be done in a conversation, and the time it took: `…/checklist/` and `…/time-entries/`."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.customers.permissions import agent_of
from tickets.desk import chores
from tickets.desk.models import ChecklistItem, TimeEntry


class ChecklistItemSerializer(serializers.ModelSerializer[ChecklistItem]):
    class Meta:
        model = ChecklistItem
        fields = ["id", "text", "position", "done_at", "done_by"]
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("Something to do", value={"text": "Renew the certificate"})])
class NewItemSerializer(serializers.Serializer[dict[str, str]]):
    text = serializers.CharField(max_length=300)


@extend_schema_serializer(examples=[OpenApiExample("It is done", value={"is_done": True})])
class TickSerializer(serializers.Serializer[dict[str, bool]]):
    is_done = serializers.BooleanField()


class Checklist(APIView):
    """What is to be done, in its order."""

    @extend_schema(responses={200: ChecklistItemSerializer(many=True)})
    def get(self, request: Request, conversation_id: int) -> Response:
        rows = ChecklistItem.objects.filter(conversation=conversation_id)
        return Response(ChecklistItemSerializer(rows, many=True).data)

    @extend_schema(request=NewItemSerializer, responses={201: ChecklistItemSerializer})
    def post(self, request: Request, conversation_id: int) -> Response:
        """Put something at its end."""
        given = NewItemSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            item = chores.add_item(conversation_id, given.validated_data["text"], agent_of(request), at=timezone.now())
        except chores.TooMany as error:
            raise ValidationError({"text": [str(error)]}) from error
        return Response(ChecklistItemSerializer(item).data, status=201)


class ChecklistEntry(APIView):
    """One thing of it."""

    @extend_schema(request=TickSerializer, responses={200: ChecklistItemSerializer})
    def patch(self, request: Request, conversation_id: int, item_id: int) -> Response:
        """Say that it is done, or is not."""
        given = TickSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user, is_done = agent_of(request), given.validated_data["is_done"]
        try:
            chores.tick(conversation_id, item_id, is_done, user, at=timezone.now())
        except ChecklistItem.DoesNotExist as error:
            raise NotFound("There is no such item.") from error
        return Response(ChecklistItemSerializer(ChecklistItem.objects.get(pk=item_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, conversation_id: int, item_id: int) -> Response:
        try:
            chores.remove_item(conversation_id, item_id, agent_of(request), at=timezone.now())
        except ChecklistItem.DoesNotExist as error:
            raise NotFound("There is no such item.") from error
        return Response(status=204)


@extend_schema_serializer(
    examples=[OpenApiExample("A quarter of an hour", value={"minutes": 15, "note": "Read the logs"}, request_only=True)]
)
class TimeEntrySerializer(serializers.ModelSerializer[TimeEntry]):
    minutes = serializers.IntegerField(min_value=1, max_value=chores.MOST_MINUTES)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")

    class Meta:
        model = TimeEntry
        fields = ["id", "user", "minutes", "note", "at"]
        read_only_fields = ["user", "at"]


class TimeEntries(APIView):
    """The time agents spent on it, oldest first; `minutes_spent` of the conversation is their sum."""

    @extend_schema(responses={200: TimeEntrySerializer(many=True)})
    def get(self, request: Request, conversation_id: int) -> Response:
        rows = TimeEntry.objects.filter(conversation=conversation_id).order_by("pk")
        return Response(TimeEntrySerializer(rows[: chores.MOST_SHOWN], many=True).data)

    @extend_schema(request=TimeEntrySerializer, responses={201: TimeEntrySerializer})
    def post(self, request: Request, conversation_id: int) -> Response:
        """Note time of one's own."""
        given = TimeEntrySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said: dict[str, Any] = given.validated_data
        entry = chores.spend(conversation_id, said["minutes"], said["note"], agent_of(request), at=timezone.now())
        return Response(TimeEntrySerializer(entry).data, status=201)


class OwnTimeEntry(APIView):
    """One entry, by who made it."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, conversation_id: int, entry_id: int) -> Response:
        """Take one's own back."""
        try:
            chores.unspend(conversation_id, entry_id, agent_of(request), at=timezone.now())
        except TimeEntry.DoesNotExist as error:
            raise NotFound("There is no such entry of yours.") from error
        return Response(status=204)
