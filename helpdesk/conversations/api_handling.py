"""Steps that join things: merging conversations, acknowledging a page with words for the customer."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.conversations import merging, on_call
from helpdesk.conversations.answers import NothingToSay, Refused
from helpdesk.conversations.api import one
from helpdesk.conversations.api_permissions import must_see
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.serializers import MAX_TEXT, ConversationSerializer
from helpdesk.customers.permissions import agent_of
from helpdesk.numbers import LARGEST_ID
from helpdesk.oncall.models import Page
from helpdesk.oncall.serializers import PageSerializer
from helpdesk.oncall.visibility import visible_pages


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
            must_see(request, into)
            merging.merge(conversation_id, into, agent_of(request), at=timezone.now())
        except (Conversation.DoesNotExist, NotFound) as error:
            raise ValidationError({"into": ["There is no such conversation."]}) from error
        except merging.CannotMerge as error:
            raise ValidationError({"into": [str(error)]}) from error
        return Response(one(into))


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
        get_object_or_404(visible_pages(agent_of(request)).only("pk"), pk=page_id)
        try:
            on_call.acknowledge_page(page_id, agent_of(request), at=timezone.now(), via="api", **words)
        except Page.DoesNotExist as error:
            raise NotFound("There is no such page.") from error
        except NothingToSay as error:
            raise ValidationError({"handling": [str(error)]}) from error
        except Refused as error:
            raise ValidationError(
                {"handling": [f"Acknowledged, but the customer was not told. {error.words}"]}
            ) from error
        return Response(PageSerializer(Page.objects.prefetch_related("deliveries").get(pk=page_id)).data)
