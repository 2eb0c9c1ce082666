"""`/api/v1/posts/`: what was said on the networks, and the manual log of what no network told us."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.api_fields import ID
from helpdesk.customers.api_filters import IdFilter
from helpdesk.customers.permissions import agent_of
from social import by_hand
from social.models import Account, Person, Post


class NetworkPersonSerializer(serializers.ModelSerializer[Person]):
    """Who said it there. Who that is as a customer is unverified until they link the handle themselves."""

    class Meta:
        model = Person
        fields = ("id", "handle", "name", "customer", "may_dm", "follows_us", "muted_at", "blocked_at")
        read_only_fields = fields


class PostSerializer(serializers.ModelSerializer[Post]):
    """Something said there, by `person` or, where that is null, by us; the message that it is in a conversation."""

    person = NetworkPersonSerializer(read_only=True)
    conversation = serializers.IntegerField(source="message.conversation_id", read_only=True, default=None)

    class Meta:
        model = Post
        fields = [
            "id", "account", "external_id", "conversation", "message", "person", "kind", "is_public", "parent", "root",
            "url", "text", "at", "names_us", "allows", "exposes", "is_abusive", "versions", "edited_at", "deleted_at",
            "hidden_at",
        ]  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A comment that nobody told us of",
            value={
                "account": 3,
                "url": "https://forum.example/t/1/2",
                "handle": "maria",
                "text": "Is the mail server down?",
                "at": "2026-01-12T09:00:00Z",
            },
            request_only=True,
        )
    ]
)
class PastedSerializer(serializers.Serializer[Any]):
    """What somebody saw on a network. The same address is filed once."""

    account = serializers.PrimaryKeyRelatedField(queryset=Account.objects.filter(is_active=True))
    url = serializers.URLField(max_length=250, allow_blank=True, default="")
    handle = serializers.RegexField(r"^@?[^\s\x00-\x1f]+$", max_length=100)
    name = serializers.CharField(max_length=200, allow_blank=True, default="")
    text = serializers.CharField(max_length=20_000)
    at = serializers.DateTimeField(required=False, help_text="When it was said; now where nobody knows.")
    is_public = serializers.BooleanField(default=True)


class PostFilters(django_filters.FilterSet):  # type: ignore[misc]
    account = IdFilter(field_name="account_id")
    conversation = IdFilter(field_name="message__conversation_id")

    class Meta:
        model = Post
        fields = ["account", "conversation", "kind", "is_public"]


class PostViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Post]):
    """What was said on the networks, newest first. What belongs to a conversation is seen by whom the conversation is
    seen; answers are messages of the conversation.
    """

    queryset = Post.objects.all()
    serializer_class = PostSerializer
    filterset_class = PostFilters
    http_method_names = ["get", "head", "options", "post"]
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[Post]:
        if getattr(self, "swagger_fake_view", False):
            return Post.objects.none()
        # Without a message it is our own, which everybody can read there, or of somebody muted.
        seen = Q(message__conversation__in=visible_conversations(agent_of(self.request))) | Q(
            message=None, is_public=True
        )
        return Post.objects.filter(seen).select_related("person", "message")

    @extend_schema(request=PastedSerializer, responses={201: PostSerializer, 404: None})
    def create(self, request: Request) -> Response:
        """The manual log: file what was seen there as if it had come by itself. It is answered by hand."""
        given = PastedSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said, at = given.validated_data, timezone.now()
        pasted = by_hand.Pasted(
            said["url"], said["handle"], said["text"], said.get("at", at), said["name"], said["is_public"]
        )
        thread = by_hand.log(said["account"], pasted, agent_of(request), at=at)
        post = self.get_queryset().filter(message__conversation=thread.pk, person__isnull=False).order_by("-pk").first()
        if post is None:
            # It was filed before, and belongs to a team this agent is not in.
            return Response(status=status.HTTP_404_NOT_FOUND)
        return Response(PostSerializer(post).data, status=status.HTTP_201_CREATED)
