"""`/api/v1/ratings/`: what customers thought of our help. They are given by customers alone; leads look and show."""

from typing import Any, ClassVar

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.customers.pagination import KeysetPagination
from helpdesk.customers.permissions import agent_of
from helpdesk.ratings import giving
from helpdesk.ratings.models import Rating
from helpdesk.ratings.permissions import may_lead, visible_ratings


class RatingSerializer(serializers.ModelSerializer[Rating]):
    """Agent, team and channel are those of when it was asked for or given."""

    conversation = serializers.IntegerField(source="pk", read_only=True)

    class Meta:
        model = Rating
        fields = [
            "conversation", "customer", "agent", "team", "channel", "score", "comment", "via", "asked_at", "rated_at",
            "looked_at", "looked_by", "is_shown",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = fields


class RatingChangesSerializer(serializers.Serializer[Rating]):
    looked = serializers.BooleanField(required=False, help_text="A lead has looked at this low one; true only.")
    is_shown = serializers.BooleanField(required=False, help_text="Thanks worth reading: shown to the whole team.")

    def validate_looked(self, looked: bool) -> bool:
        if not looked:
            raise serializers.ValidationError("What was looked at stays so.")
        return looked


class RatingFilters(django_filters.FilterSet):  # type: ignore[misc]
    score = django_filters.NumberFilter(min_value=1, max_value=5)
    agent = django_filters.NumberFilter(field_name="agent_id")
    team = django_filters.NumberFilter(field_name="team_id")
    channel = django_filters.CharFilter(max_length=20)
    customer = django_filters.NumberFilter(field_name="customer_id")
    shown = django_filters.BooleanFilter(field_name="is_shown")
    rated_since = django_filters.IsoDateTimeFilter(field_name="rated_at", lookup_expr="gte")
    to_look_at = django_filters.BooleanFilter(method="waiting", help_text="Low ones that no lead has looked at.")

    def waiting(self, rows: QuerySet[Rating], _name: str, is_wanted: bool) -> QuerySet[Rating]:
        low = {"score__lte": giving.LOW, "looked_at": None}
        return rows.filter(**low) if is_wanted else rows.exclude(**low)


class NewestConversations(KeysetPagination):
    ordering = "-conversation_id"


class RatingViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Rating]):
    """Those given, of conversations the agent may see, the newest conversation first."""

    queryset = Rating.objects.filter(score__isnull=False)
    serializer_class = RatingSerializer
    filterset_class = RatingFilters
    pagination_class: type[CursorPagination] = NewestConversations
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Rating]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return visible_ratings(agent_of(self.request)).filter(score__isnull=False)

    def _one(self, pk: str) -> Rating:
        found = self.get_queryset().filter(pk=int(pk)).first()
        if found is None:
            raise NotFound
        return found

    @extend_schema(responses={200: RatingSerializer})
    def retrieve(self, request: Request, pk: str) -> Response:
        """The rating of a conversation, by the conversation's id."""
        return Response(RatingSerializer(self._one(pk)).data)

    @extend_schema(request=RatingChangesSerializer, responses={200: RatingSerializer})
    @transaction.atomic
    def partial_update(self, request: Request, pk: str) -> Response:
        """Say that a lead looked at it, or show it to the team: admins alone."""
        rating, user = self._one(pk), agent_of(request)
        if not may_lead(user):
            raise PermissionDenied
        given: Any = RatingChangesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            if "looked" in given.validated_data:
                rating = giving.look(rating.pk, user, at=timezone.now())
            if "is_shown" in given.validated_data:
                rating = giving.show(rating.pk, given.validated_data["is_shown"])
        except giving.NotLow as error:
            raise ValidationError({"detail": str(error)}) from error
        return Response(RatingSerializer(rating).data)
