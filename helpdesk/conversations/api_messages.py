"""What was said and what happened in a conversation: messages, events, clocks, attachments."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.files.storage import default_storage
from django.http import FileResponse, QueryDict
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.api_uploads import NewMessageWithFilesSerializer
from helpdesk.conversations.files import path_of
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.conversations.rows import minutes
from helpdesk.conversations.serializers import (
    ClockSerializer,
    EventSerializer,
    MessageSerializer,
    NewMessageSerializer,
)
from helpdesk.conversations.uploads import files_of
from helpdesk.conversations.visibility import visible_to
from helpdesk.customers.api_multipart import BoundedMultiPartParser
from helpdesk.customers.models import User
from helpdesk.customers.pagination import OldestFirst
from helpdesk.customers.permissions import agent_of, may_work
from helpdesk.events.models import Event
from helpdesk.numbers import LARGEST_ID
from helpdesk.sla.models import Clock
from helpdesk.sla.reckoning import explain_clock

# Built once: making the fields takes longer than filling them.
_SHOWN = MessageSerializer()


class _WaitsSerializer(serializers.Serializer[dict[str, str]]):
    detail = serializers.CharField()


def _written(message: Message, *, has_files: bool) -> Any:
    """What is answered to who wrote it; a message that was written without files is not asked for them."""
    if not has_files:
        none = Attachment.objects.none()
        none._result_cache = []  # an empty question is written out before it is not asked
        message._prefetched_objects_cache = {"attachments": none}  # type: ignore[attr-defined]
    return _SHOWN.to_representation(message)


class Messages(generics.ListAPIView[Message]):
    """What was said, oldest first."""

    queryset = Message.objects.select_related("agent", "customer").prefetch_related("attachments")
    serializer_class = MessageSerializer
    pagination_class = OldestFirst
    filter_backends = ()
    viewers_send = True  # notes
    parser_classes = (*APIView.parser_classes, BoundedMultiPartParser)

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(conversation=self.kwargs["conversation_id"])

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        request={"application/json": NewMessageSerializer, "multipart/form-data": NewMessageWithFilesSerializer},
        responses={200: MessageSerializer, 201: MessageSerializer, 202: _WaitsSerializer},
    )
    def post(self, request: Request, conversation_id: int) -> Response:
        """Answer or note: 201, or 200 with the first one when the `client_id` was used before. As multipart/form-data
        with files (`files`, more than once for several). In public on a network it may wait for a second person: 202.
        """
        is_form = isinstance(request.data, QueryDict)
        given = (NewMessageWithFilesSerializer if is_form else NewMessageSerializer)(data=request.data)
        given.is_valid(raise_exception=True)
        said, at = given.validated_data, timezone.now()
        if said["kind"] != Message.Kind.NOTE and not may_work(request.user):
            raise PermissionDenied("Viewers write notes.")
        user, words = agent_of(request), {"client_id": said["client_id"], "files": files_of(said.get("files", ()))}
        try:
            if said["kind"] == Message.Kind.NOTE:
                message = self.write_note(conversation_id, user, said["text"], at, **words)
            else:
                asked = Conversation.objects.only("pk", "channel").get(pk=conversation_id)
                answered = conversations.answer(asked, user, said["text"], at=at, status=said["status"], **words)
                if answered is None:
                    return Response({"detail": "A second person reads it before it leaves."}, status=202)
                message = answered
        except Conversation.DoesNotExist as error:
            raise NotFound("There is no such conversation.") from error
        except conversations.Refused as error:
            raise serializers.ValidationError({"text": [error.words]}) from error
        # A repeated one was said at another time than now.
        is_new = message.at == at
        return Response(_written(message, has_files=not is_new or "files" in said), status=201 if is_new else 200)

    def write_note(self, conversation_id: int, user: User, text: str, at: datetime, **words: Any) -> Message:
        """For rooms where more follows from a note."""
        return conversations.note(conversation_id, user, text, at=at, **words)


class Events(APIView):
    """What happened, by `seq`, which has no gaps: ask again with the last one you know."""

    @extend_schema(
        parameters=[OpenApiParameter("after", int), OpenApiParameter("page_size", int)],
        responses={
            200: inline_serializer(
                "Events",
                {
                    "next": serializers.URLField(allow_null=True),
                    "previous": serializers.URLField(allow_null=True),
                    "results": EventSerializer(many=True),
                },
            )
        },
    )
    def get(self, request: Request, conversation_id: int) -> Response:
        given = _AfterSerializer(data={name: request.query_params[name] for name in request.query_params})
        given.is_valid(raise_exception=True)
        after, size = given.validated_data["after"], given.validated_data["page_size"]
        rows = Event.objects.filter(conversation=conversation_id, seq__gt=after).select_related("actor").order_by("seq")
        page = list(rows[: size + 1])
        following = None
        if len(page) > size:
            page = page[:size]
            query = urlencode({"after": page[-1].seq, "page_size": size})
            following = request.build_absolute_uri(f"{request.path}?{query}")
        return Response({"next": following, "previous": None, "results": EventSerializer(page, many=True).data})


class _AfterSerializer(serializers.Serializer[dict[str, int]]):
    after = serializers.IntegerField(min_value=0, max_value=LARGEST_ID, default=0)
    page_size = serializers.IntegerField(min_value=1, max_value=200, default=50)


class ClockExplanation(APIView):
    """Why the newest clock of a target is due when it is: every span that counted, as JSON and as text."""

    @extend_schema(
        responses={
            200: inline_serializer(
                "ClockExplanation",
                {
                    "target": serializers.CharField(),
                    "clock": ClockSerializer(),
                    "text": serializers.CharField(),
                    "timezone": serializers.CharField(),
                    "goal_minutes": serializers.FloatField(),
                    "started_at": serializers.DateTimeField(),
                    "due_at": serializers.DateTimeField(allow_null=True),
                    "until": serializers.DateTimeField(),
                    "worked_minutes": serializers.FloatField(),
                    "spans": serializers.ListField(child=serializers.DictField()),
                    "pauses": serializers.ListField(child=serializers.DictField()),
                    "holidays": serializers.ListField(child=serializers.DictField()),
                    "closed_days": serializers.ListField(child=serializers.DateField()),
                },
            )
        }
    )
    def get(self, request: Request, conversation_id: int, target: str) -> Response:
        clock = Clock.objects.filter(conversation=conversation_id, target=target).order_by("-pk").first()
        if clock is None:
            raise NotFound("There is no such clock.")
        explanation = explain_clock(clock, at=timezone.now())
        shown = {**{name: getattr(clock, name) for name in _CLOCK}, "goal_minutes": minutes(clock.goal_seconds)}
        return Response(
            {
                **explanation.as_dict(),
                "target": clock.target,
                "clock": {**shown, "cancelled_at": clock.cancelled_at},
                "text": explanation.as_text(),
            }
        )


_CLOCK = ("target", "started_at", "due_at", "paused_at", "met_at", "breached_at")


class AttachmentContent(APIView):
    """The file itself, to be saved, never shown: what strangers send is not rendered under our address."""

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, attachment_id: int) -> FileResponse:
        visible = visible_to(agent_of(request), "message__conversation__")
        attachment = Attachment.objects.filter(visible, pk=attachment_id).first()
        if attachment is None or not default_storage.exists(path_of(attachment.sha256)):
            raise NotFound("There is no such file.")
        return FileResponse(
            default_storage.open(path_of(attachment.sha256)),
            as_attachment=True,
            filename=attachment.name,
            content_type="application/octet-stream",
            headers={"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"},
        )
