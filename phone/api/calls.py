"""`/api/v1/calls/` and `/api/v1/text-count/`: calls that came in and were made, and what a text costs as SMS."""

from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.api_fields import ID
from helpdesk.customers.api_filters import IdFilter
from helpdesk.customers.permissions import agent_of
from helpdesk.events.sms_text import LONGEST, count
from phone import calling
from phone.models import Call, Recording

LONGEST_COUNTED = 20_000


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class RecordingSerializer(serializers.ModelSerializer[Recording]):
    """A message that was left; its file is an attachment of `message` once it is kept."""

    class Meta:
        model = Recording
        fields = ("id", "sid", "seconds", "state", "transcript", "message", "heard_at", "error")
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("Call back", value={"conversation": 1042}, request_only=True)])
class CallSerializer(serializers.ModelSerializer[Call]):
    """A call. `from_number` is empty where it is withheld; `seconds` is how long it took, for a call back how long the
    two have talked.
    """

    recordings = RecordingSerializer(many=True, read_only=True)

    class Meta:
        model = Call
        fields = [
            "id", "sid", "direction", "state", "line", "conversation", "customer", "agent", "from_number", "to_number",
            "began_at", "ended_at", "seconds", "error", "recordings",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = [name for name in fields if name != "conversation"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"conversation": {"required": True, "allow_null": False}}


class CallFilters(django_filters.FilterSet):  # type: ignore[misc]
    conversation = IdFilter(field_name="conversation_id")
    customer = IdFilter(field_name="customer_id")
    line = IdFilter(field_name="line_id")

    class Meta:
        model = Call
        fields = ["direction", "state", "conversation", "customer", "line"]


class CallViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Call]):
    """Calls of customers to the emergency numbers, and of agents back to them; newest first."""

    queryset = Call.objects.all()
    serializer_class = CallSerializer
    filterset_class = CallFilters
    http_method_names = ["get", "head", "options", "post"]
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[Call]:
        if getattr(self, "swagger_fake_view", False):
            return Call.objects.none()
        seen = Q(conversation__in=visible_conversations(agent_of(self.request))) | Q(conversation=None)
        return Call.objects.filter(seen).prefetch_related("recordings")

    def create(self, request: Request) -> Response:
        """Call a conversation's customer back: the agent's own phone rings, and a key joins the two."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        agent = agent_of(request)
        wanted = given.validated_data["conversation"].pk
        conversation = visible_conversations(agent).select_related("customer").filter(pk=wanted).first()
        if conversation is None:
            raise NotFound
        try:
            call = calling.ask(conversation, agent, at=timezone.now())
        except calling.CannotCall as error:
            raise Conflict(str(error.words)) from error
        return Response(self.get_serializer(call).data, status=status.HTTP_201_CREATED)


class CountedSerializer(serializers.Serializer[Any]):
    """What a text is as SMS: GSM-7 has 160 characters in one segment and 153 in each of several, UCS-2 70 and 67."""

    text = serializers.CharField(max_length=LONGEST_COUNTED, write_only=True, allow_blank=True, trim_whitespace=False)
    encoding = serializers.CharField(read_only=True)
    characters = serializers.IntegerField(read_only=True)
    units = serializers.IntegerField(read_only=True)
    segments = serializers.IntegerField(read_only=True)
    per_segment = serializers.IntegerField(read_only=True)
    left = serializers.IntegerField(read_only=True, help_text="Units that fit into the last segment still.")
    longest = serializers.IntegerField(read_only=True, help_text="Characters that Twilio takes at most.")
    is_too_long = serializers.BooleanField(read_only=True)


class TextCount(APIView):
    """Counts a text as it would be sent; nothing is sent or kept."""

    @extend_schema(request=CountedSerializer, responses=CountedSerializer)
    def post(self, request: Request) -> Response:
        given = CountedSerializer(data=request.data)
        if not given.is_valid():
            raise ValidationError(given.errors)
        found = count(given.validated_data["text"])
        names = ("encoding", "characters", "units", "segments", "per_segment", "left", "is_too_long")
        return Response({name: getattr(found, name) for name in names} | {"longest": LONGEST})
