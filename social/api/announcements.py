"""`/api/v1/announcements/`: one text for everybody, a post of it on each account."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.customers.api_fields import ID
from helpdesk.customers.permissions import agent_of
from helpdesk.numbers import is_number
from social import announcing
from social.models import Account, Announcement, AnnouncementPost

LONGEST = 5000
MOST_ACCOUNTS = 50


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class AnnouncementPostSerializer(serializers.ModelSerializer[AnnouncementPost]):
    """It on one account, in that network's words."""

    class Meta:
        model = AnnouncementPost
        fields = ("id", "account", "text", "state", "due_at", "attempts", "error", "external_id", "url", "sent_at")
        read_only_fields = fields


class AnnouncementSerializer(serializers.ModelSerializer[Announcement]):
    """Company news, or an incident's update (`kind` status). `publish_at` is when it goes out."""

    posts = AnnouncementPostSerializer(many=True, read_only=True)

    class Meta:
        model = Announcement
        fields = [
            "id", "kind", "state", "text", "link", "series", "source", "by", "at", "approved_by", "approved_at",
            "publish_at", "published_at", "posts",
        ]  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "News",
            value={"text": "Our new data centre is open.", "link": "https://example.org/dc", "accounts": [1, 2]},
            request_only=True,
        )
    ]
)
class AnnouncedSerializer(serializers.Serializer[Any]):
    """A draft. `texts` are words of their own for an account, by its id."""

    text = serializers.CharField(max_length=LONGEST)
    link = serializers.URLField(max_length=500, allow_blank=True, default="")
    accounts = serializers.PrimaryKeyRelatedField(
        queryset=Account.objects.filter(is_active=True).exclude(network=Account.Network.FEED),
        many=True,
        allow_empty=False,
    )
    texts = serializers.DictField(child=serializers.CharField(max_length=LONGEST), required=False)

    def validate_accounts(self, accounts: list[Account]) -> list[Account]:
        if len(accounts) > MOST_ACCOUNTS:
            raise serializers.ValidationError(f"At most {MOST_ACCOUNTS}.")
        return list(dict.fromkeys(accounts))

    def validate_texts(self, texts: dict[str, str]) -> dict[int, str]:
        if not all(is_number(key) for key in texts):
            raise serializers.ValidationError("They are named by ids of accounts.")
        return {int(key): words for key, words in texts.items()}


class SubmittedSerializer(serializers.Serializer[Any]):
    publish_at = serializers.DateTimeField(required=False, help_text="Now, where nothing else is said.")


class PostedSerializer(serializers.Serializer[Any]):
    post = serializers.IntegerField(min_value=1, max_value=2**53, help_text="One of `posts`.")
    url = serializers.URLField(max_length=1000, allow_blank=True, default="")


class RetriedSerializer(serializers.Serializer[Any]):
    post = serializers.IntegerField(min_value=1, max_value=2**53, help_text="One of `posts`.")


class AnnouncementViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Announcement]):
    """What is told everybody: newest first. A draft goes out once it is submitted and, where one of its accounts wants
    that, approved by somebody other than who wrote it.
    """

    queryset = Announcement.objects.prefetch_related("posts")
    serializer_class = AnnouncementSerializer
    filterset_fields: ClassVar[list[str]] = ["kind", "state"]
    http_method_names = ["get", "head", "options", "post"]
    lookup_value_regex = ID

    @extend_schema(request=AnnouncedSerializer, responses={201: AnnouncementSerializer})
    def create(self, request: Request) -> Response:
        given = AnnouncedSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        try:
            made = announcing.write(
                said["text"],
                said["accounts"],
                agent_of(request),
                at=timezone.now(),
                link=said["link"],
                texts=said.get("texts"),
            )
        except announcing.Exposes as error:
            raise serializers.ValidationError({"text": [f"This would be in public: {error}."]}) from error
        except announcing.TooLong as error:
            raise serializers.ValidationError({"texts": [f"Too long for {error}."]}) from error
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=SubmittedSerializer, responses=AnnouncementSerializer)
    @action(detail=True, methods=["post"])
    def submission(self, request: Request, pk: str) -> Response:
        """It is to go out, at once or at `publish_at`."""
        given = SubmittedSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        at = timezone.now()
        when = max(given.validated_data.get("publish_at", at), at)
        return self._done(lambda: announcing.submit(self.get_object().pk, publish_at=when))

    @extend_schema(request=None, responses=AnnouncementSerializer)
    @action(detail=True, methods=["post"])
    def approval(self, request: Request, pk: str) -> Response:
        """A second person has read it."""
        return self._done(lambda: announcing.approve(self.get_object().pk, agent_of(request), at=timezone.now()))

    @extend_schema(request=None, responses=AnnouncementSerializer)
    @action(detail=True, methods=["post"])
    def withdrawal(self, request: Request, pk: str) -> Response:
        """It does not go out."""
        return self._done(lambda: announcing.withdraw(self.get_object().pk))

    @extend_schema(request=RetriedSerializer, responses=AnnouncementSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Send a post of it again that failed or was not connected."""
        post, _url = self._post(RetriedSerializer(data=request.data))
        return self._done(lambda: announcing.retry(post, at=timezone.now()))

    @extend_schema(request=PostedSerializer, responses=AnnouncementSerializer)
    @action(detail=True, methods=["post"])
    def posted(self, request: Request, pk: str) -> Response:
        """Somebody has posted one of them there by hand."""
        post, url = self._post(PostedSerializer(data=request.data))
        return self._done(lambda: announcing.mark_posted(post, url, at=timezone.now()))

    def _post(self, given: serializers.Serializer[Any]) -> tuple[int, str]:
        given.is_valid(raise_exception=True)
        wanted = given.validated_data["post"]
        if not self.get_object().posts.filter(pk=wanted).exists():
            raise serializers.ValidationError({"post": ["It is none of this announcement's."]})
        return wanted, given.validated_data.get("url", "")

    def _done(self, do: Callable[[], object]) -> Response:
        """Do it, and show how it is then. 409 where it cannot be done any more."""
        try:
            if do() is False:
                raise Conflict("It has left by itself, or does not wait for that.")
        except (announcing.NotOpen, announcing.SecondReader) as error:
            raise Conflict(str(error)) from error
        return Response(self.get_serializer(self.get_object()).data)
