"""Writing by API as from the desk: notes that call agents, one's draft, canned replies, passing a message on."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.conversations.answers import NothingToSay
from helpdesk.conversations.api_messages import Messages
from helpdesk.conversations.api_undoing import message_of
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.serializers import MessageSerializer
from helpdesk.conversations.visibility import visible_to
from helpdesk.customers.models import User
from helpdesk.customers.permissions import agent_of
from helpdesk.desk import markdown
from helpdesk.numbers import LARGEST_ID
from tickets.desk import canned, drafts, mentions
from tickets.desk.models import Draft, Mention
from tickets.forms import MAX_TEXT
from tickets.mail import forwarding


class DeskMessages(Messages):
    """What was said, oldest first. `@name` in a note calls an agent."""

    def write_note(self, conversation_id: int, user: User, text: str, at: datetime, **words: Any) -> Message:
        return mentions.write_note(conversation_id, user, text, at=at, **words)


@extend_schema_serializer(
    examples=[OpenApiExample("A reply begun", value={"kind": "reply", "text": "Hello Carol,"}, request_only=True)]
)
class DraftSerializer(serializers.ModelSerializer[Draft]):
    text = serializers.CharField(max_length=MAX_TEXT, trim_whitespace=False)

    class Meta:
        model = Draft
        fields = ["kind", "text", "version", "updated_at"]
        read_only_fields = ["version", "updated_at"]


class OwnDraft(APIView):
    """What one has typed in this conversation and not sent; its version grows with each keeping."""

    viewers_send = True  # of notes, and their own

    @extend_schema(responses={200: DraftSerializer})
    def get(self, request: Request, conversation_id: int) -> Response:
        return Response(DraftSerializer(_draft(conversation_id, agent_of(request))).data)

    @extend_schema(request=DraftSerializer, responses={200: DraftSerializer})
    def put(self, request: Request, conversation_id: int) -> Response:
        """Keep it in place of the one before."""
        given = DraftSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said, user = given.validated_data, agent_of(request)
        kind = said.get("kind", "reply")
        drafts.keep(Conversation(pk=conversation_id), user, kind, said["text"], at=timezone.now())
        return Response(DraftSerializer(_draft(conversation_id, user)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, conversation_id: int) -> Response:
        drafts.discard(conversation_id, agent_of(request))
        return Response(status=204)


def _draft(conversation_id: int, user: User) -> Draft:
    found = Draft.objects.filter(conversation=conversation_id, user=user).first()
    if found is None:
        raise NotFound("You have no draft here.")
    return found


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "To a supplier",
            value={"message": 42, "to": ["noc@supplier.example"], "text": "Can you look?", "attachments": [7]},
            request_only=True,
        )
    ]
)
class ForwardSerializer(serializers.Serializer[dict[str, Any]]):
    """A message passed on: `text` is all that is sent, so quote what is to be read."""

    message = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, help_text="Of this conversation.")
    to = serializers.ListField(
        child=serializers.EmailField(max_length=320), allow_empty=False, max_length=forwarding.MOST_ADDRESSES
    )
    text = serializers.CharField(
        max_length=MAX_TEXT, trim_whitespace=False, required=False, allow_blank=True, default=""
    )
    attachments = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        max_length=100,
        required=False,
        default=list,
        help_text="Files of that message to go along, by id.",
    )


class Forwards(APIView):
    """Pass a message on to somebody outside; their answer comes back into this conversation."""

    @extend_schema(request=ForwardSerializer, responses={201: MessageSerializer})
    def post(self, request: Request, conversation_id: int) -> Response:
        given = ForwardSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        message = message_of(conversation_id, said["message"])
        if message.kind == Message.Kind.NOTE:
            raise ValidationError({"message": ["A note stays inside."]})
        chosen = list(message.attachments.filter(pk__in=said["attachments"]))
        if len(chosen) < len(set(said["attachments"])):
            raise ValidationError({"attachments": ["These are not all files of that message."]})
        to = list(dict.fromkeys(address.lower() for address in said["to"]))
        html = markdown.render(said["text"]) if markdown.is_formatted(said["text"]) else ""
        files, user, at = forwarding.files_of(chosen), agent_of(request), timezone.now()
        try:
            sent = forwarding.forward(conversation_id, user, to, said["text"], at=at, html=html, files=files)
        except forwarding.CannotForward as error:
            raise ValidationError({"to": [str(error)]}) from error
        except NothingToSay as error:
            raise ValidationError({"text": [str(error)]}) from error
        return Response(MessageSerializer(sent).data, status=201)


@extend_schema_serializer(examples=[OpenApiExample("By its id", value={"canned_reply": 3})])
class CannedGivenSerializer(serializers.Serializer[dict[str, int]]):
    canned_reply = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)


class FilledSerializer(serializers.Serializer[dict[str, str]]):
    text = serializers.CharField()


class FilledReply(APIView):
    """A canned reply filled in for this conversation; nothing is sent, its use is counted."""

    @extend_schema(request=CannedGivenSerializer, responses={200: FilledSerializer})
    def post(self, request: Request, conversation_id: int) -> Response:
        given = CannedGivenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = agent_of(request)
        reply = canned.of(user).filter(pk=given.validated_data["canned_reply"]).first()
        if reply is None:
            raise ValidationError({"canned_reply": ["There is no such canned reply."]})
        conversation = Conversation.objects.select_related("customer", "organization").get(pk=conversation_id)
        return Response({"text": canned.use(reply, conversation, user)})


class MentionSerializer(serializers.ModelSerializer[Mention]):
    by = serializers.IntegerField(source="message.agent_id", allow_null=True)
    text = serializers.CharField(source="message.text")

    class Meta:
        model = Mention
        fields = ["id", "conversation", "message", "by", "text", "at", "seen_at"]
        read_only_fields = fields


class Mentions(generics.ListAPIView[Mention]):
    """Where somebody called this agent in a note, newest first."""

    queryset = Mention.objects.select_related("message").defer("message__search", "message__html", "message__full_text")
    serializer_class = MentionSerializer
    filterset_fields = {"seen_at": ["isnull"], "conversation": ["exact"]}

    def get_queryset(self) -> Any:
        user = agent_of(self.request)
        return super().get_queryset().filter(visible_to(user, "conversation__"), user=user)


class MentionsSeen(APIView):
    """One has seen where one was called in this conversation."""

    viewers_send = True  # their own

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, conversation_id: int) -> Response:
        mentions.see(conversation_id, agent_of(request), at=timezone.now())
        return Response(status=204)
