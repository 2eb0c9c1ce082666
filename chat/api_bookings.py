"""`/api/v1/bookings/` and `/api/v1/customers/{id}/chat-grants/`: what was agreed with customers."""

from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import bookings, grants
from chat.models import Booking, ChatGrant
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.api_fields import ID
from helpdesk.customers.api_filters import IdFilter
from helpdesk.customers.models import Customer
from helpdesk.customers.permissions import agent_of
from helpdesk.events.actors import Actor

MOST_GRANTS = 100


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


@extend_schema_serializer(
    examples=[OpenApiExample("Another time", value={"starts_at": "2026-01-13T13:30:00Z"}, request_only=True)]
)
class BookingSerializer(serializers.ModelSerializer[Booking]):
    """A chat that is agreed for a time. `starts_at` can be changed to another slot; the customer is told by mail."""

    class Meta:
        model = Booking
        fields = [
            "id", "public_id", "widget", "customer", "conversation", "starts_at", "ends_at", "topic", "email",
            "timezone", "state", "remind_at", "answer", "answered_at", "booked_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = [name for name in fields if name != "starts_at"]


class BookingFilters(django_filters.FilterSet):  # type: ignore[misc]
    customer = IdFilter(field_name="customer_id")
    conversation = IdFilter(field_name="conversation_id")
    after = django_filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="gte")
    before = django_filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = Booking
        fields = ["state", "customer", "conversation", "after", "before"]


class BookingViewSet(
    mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Booking]
):
    """Chats that customers have booked, newest first. They book in the widget; here agents move and cancel."""

    queryset = Booking.objects.all()
    serializer_class = BookingSerializer
    filterset_class = BookingFilters
    http_method_names = ["get", "head", "options", "patch", "post"]
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[Booking]:
        if getattr(self, "swagger_fake_view", False):
            return Booking.objects.none()
        seen = Q(conversation__in=visible_conversations(agent_of(self.request))) | Q(conversation=None)
        return Booking.objects.filter(seen)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Another time. The old seat is free again, and the customer gets a mail."""
        booking = self.get_object()
        given = self.get_serializer(booking, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        starts_at = given.validated_data.get("starts_at", booking.starts_at)
        try:
            moved = bookings.move(booking.pk, starts_at, actor=Actor.agent(agent_of(request)), at=timezone.now())
        except bookings.NotBooked as error:
            raise Conflict("This booking is cancelled or over.") from error
        except bookings.Taken as error:
            raise Conflict("No seat is left at that time.") from error
        except bookings.NotOffered as error:
            raise ValidationError({"starts_at": ["Chats cannot be booked for that time."]}) from error
        return Response(self.get_serializer(moved).data)

    @extend_schema(request=None, responses={200: BookingSerializer})
    @action(detail=True, methods=["post"])
    def cancellation(self, request: Request, pk: str) -> Response:
        """Call it off; the customer gets a mail. Again, nothing changes."""
        try:
            gone = bookings.cancel(self.get_object().pk, actor=Actor.agent(agent_of(request)), at=timezone.now())
        except bookings.NotBooked as error:
            raise Conflict("This booking is over.") from error
        return Response(self.get_serializer(gone).data)


@extend_schema_serializer(
    examples=[OpenApiExample("Until Friday", value={"until": "2026-01-16T17:00:00Z"}, request_only=True)]
)
class ChatGrantSerializer(serializers.ModelSerializer[ChatGrant]):
    """Live chat whatever the plan says, `until` then; a day where nothing is given, 31 days at most."""

    until = serializers.DateTimeField(required=False)

    class Meta:
        model = ChatGrant
        fields = ["id", "by", "at", "until"]
        read_only_fields: ClassVar[list[str]] = ["by", "at"]


class ChatGrants(APIView):
    """Live chat that agents gave this customer, newest first."""

    @extend_schema(responses={200: ChatGrantSerializer(many=True)})
    def get(self, request: Request, customer_id: int) -> Response:
        _customer(customer_id)
        return Response(ChatGrantSerializer(grants.of(customer_id, MOST_GRANTS), many=True).data)

    @extend_schema(request=ChatGrantSerializer, responses={201: ChatGrantSerializer})
    def post(self, request: Request, customer_id: int) -> Response:
        """Give it, for a day where nothing else is said. It is in the audit log."""
        customer, at = _customer(customer_id), timezone.now()
        given = ChatGrantSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            grant = grants.give(customer, agent_of(request), at=at, until=given.validated_data.get("until"))
        except grants.TooLong as error:
            raise ValidationError({"until": ["Write a time within 31 days from now."]}) from error
        return Response(ChatGrantSerializer(grant).data, status=201)


def _customer(pk: int) -> Customer:
    customer = Customer.objects.filter(pk=pk).first()
    if customer is None:
        raise NotFound("There is no such customer.")
    return customer
