"""Steps that join things: merging and linking conversations, acknowledging a page with words for the customer."""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.conversations import merging, on_call
from helpdesk.conversations.answers import NothingToSay
from helpdesk.conversations.api import one
from helpdesk.conversations.api_messages import must_exist
from helpdesk.conversations.models import Conversation, Status
from helpdesk.conversations.rows import desk_url
from helpdesk.conversations.serializers import MAX_TEXT, ConversationSerializer
from helpdesk.customers.api_fields import LARGEST_ID
from helpdesk.customers.permissions import agent_of
from helpdesk.oncall.models import Page
from helpdesk.oncall.serializers import PageSerializer

MAX_LINKS = 200


class MergeSerializer(serializers.Serializer[dict[str, int]]):
    into = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, help_text="The conversation that stays.")


class Merge(APIView):
    """Close this conversation into another; the answer is the one that stays."""

    @extend_schema(request=MergeSerializer, responses={200: ConversationSerializer})
    def post(self, request: Request, conversation_id: int) -> Response:
        given = MergeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        into = given.validated_data["into"]
        try:
            merging.merge(conversation_id, into, agent_of(request), at=timezone.now())
        except Conversation.DoesNotExist as error:
            must_exist(conversation_id)
            raise ValidationError({"into": ["There is no such conversation."]}) from error
        except merging.CannotMerge as error:
            raise ValidationError({"into": [str(error)]}) from error
        return Response(one(into))


class LinkSerializer(serializers.Serializer[dict[str, Any]]):
    relation = serializers.ChoiceField(["previous", "next", "merged", "merged_into"])
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    subject = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    url = serializers.URLField()


class LinkGivenSerializer(serializers.Serializer[dict[str, Any]]):
    previous = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, allow_null=True)


class Links(APIView):
    """What this conversation continues, what continues it, and what was merged."""

    @extend_schema(responses={200: LinkSerializer(many=True)})
    def get(self, request: Request, conversation_id: int) -> Response:
        return Response(_links(conversation_id))

    @extend_schema(request=LinkGivenSerializer, responses={200: LinkSerializer(many=True)})
    def post(self, request: Request, conversation_id: int) -> Response:
        """Say what it continues; null for nothing."""
        given = LinkGivenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        previous = given.validated_data["previous"]
        try:
            merging.link(conversation_id, previous, agent_of(request), at=timezone.now())
        except Conversation.DoesNotExist as error:
            must_exist(conversation_id)
            raise ValidationError({"previous": ["There is no such conversation."]}) from error
        except merging.CannotLink as error:
            raise ValidationError({"previous": [str(error)]}) from error
        return Response(_links(conversation_id))


def _links(conversation_id: int) -> list[dict[str, Any]]:
    here = Conversation.objects.filter(pk=conversation_id).first()
    if here is None:
        raise NotFound("There is no such conversation.")
    named = [pk for pk in (here.previous_id, here.merged_into_id) if pk is not None]
    related = Q(previous=here) | Q(merged_into=here) | Q(pk__in=named)
    return [
        {
            "relation": _relation(here, other),
            "id": other.pk,
            "number": other.number,
            "subject": other.subject,
            "status": other.status,
            "url": desk_url(other.pk),
        }
        for other in Conversation.objects.filter(related).order_by("pk")[:MAX_LINKS]
    ]


def _relation(here: Conversation, other: Conversation) -> str:
    if other.merged_into_id == here.pk:
        return "merged"
    if here.merged_into_id == other.pk:
        return "merged_into"
    return "previous" if here.previous_id == other.pk else "next"


class AcknowledgementSerializer(serializers.Serializer[dict[str, str]]):
    handling = serializers.CharField(
        max_length=MAX_TEXT, required=False, allow_blank=True, default="", help_text="Told to the customer."
    )
    client_id = serializers.UUIDField(required=False, allow_null=True, default=None)


class PageAcknowledgement(APIView):
    """I am on it; with `handling`, the customer is told in the same step how."""

    @extend_schema(request=AcknowledgementSerializer, responses={200: PageSerializer})
    def post(self, request: Request, page_id: int) -> Response:
        given = AcknowledgementSerializer(data=request.data or {})
        given.is_valid(raise_exception=True)
        words = given.validated_data
        try:
            on_call.acknowledge_page(page_id, agent_of(request), at=timezone.now(), via="api", **words)
        except Page.DoesNotExist as error:
            raise NotFound("There is no such page.") from error
        except NothingToSay as error:
            raise ValidationError({"handling": [str(error)]}) from error
        return Response(PageSerializer(Page.objects.prefetch_related("deliveries").get(pk=page_id)).data)
