"""`/api/v1/maintenances/`: what is going to be worked on, and when."""

from typing import Any

import django_filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.customers.permissions import agent_of
from status import maintenances
from status.api.incident_shapes import MAINTENANCE_STATUSES, IncidentSerializer, NewUpdateSerializer, words_of
from status.api.incidents import IncidentFilters, OfKind, one, refused
from status.api.shapes import ComponentStates
from status.incidents import LONGEST_BODY, Opening, Refused, Words
from status.models import Incident, State


class MaintenanceSerializer(IncidentSerializer):
    """A window in which something is worked on, with its newest updates first."""

    series = serializers.IntegerField(source="series_id", allow_null=True, help_text="The recurring one it is of.")
    is_cancelled = serializers.BooleanField(help_text="Ended before it began.")

    class Meta(IncidentSerializer.Meta):
        fields = [
            *IncidentSerializer.Meta.fields, "scheduled_for", "scheduled_until", "remind_minutes", "is_automatic",
            "is_cancelled", "series",
        ]  # fmt: skip
        read_only_fields = fields


class OneMaintenanceSerializer(MaintenanceSerializer):
    """A maintenance, with the ids of others that touch the same components at the same time."""

    overlaps = serializers.SerializerMethodField()

    class Meta(MaintenanceSerializer.Meta):
        fields = [*MaintenanceSerializer.Meta.fields, "overlaps"]
        read_only_fields = fields

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_overlaps(self, incident: Incident) -> list[str]:
        begins, ends = incident.scheduled_for, incident.scheduled_until
        if incident.is_over or begins is None or ends is None:
            return []
        touched = [found.component_id for found in incident.affected.all()]
        return [other.public_id for other in maintenances.overlapping(touched, begins, ends, but=incident.pk)]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Maintenance",
            value={
                "name": "New disks in web14",
                "body": "Websites on web14 are away for up to ten minutes.",
                "scheduled_for": "2026-02-03T01:00:00Z",
                "scheduled_until": "2026-02-03T03:00:00Z",
                "components": {"k3v9x0c2m1qa": "under_maintenance"},
            },
            request_only=True,
        )
    ]
)
class NewMaintenanceSerializer(NewUpdateSerializer):
    """A maintenance with its announcement. Plain ids as `components` are under maintenance meanwhile. An automatic one
    begins and ends by the clock; subscribers are reminded `remind_minutes` before, 0 for never.
    """

    name = serializers.CharField(max_length=200)
    status = serializers.ChoiceField(choices=MAINTENANCE_STATUSES, default=Incident.Status.SCHEDULED.value)
    components = ComponentStates(
        alike=State.UNDER_MAINTENANCE.value, required=False, help_text="States by the components' ids, or these ids."
    )
    scheduled_for = serializers.DateTimeField()
    scheduled_until = serializers.DateTimeField()
    remind_minutes = serializers.IntegerField(min_value=0, max_value=43_200, default=60)
    is_automatic = serializers.BooleanField(default=True)

    def opening(self) -> Opening:
        given = self.validated_data
        return Opening(
            name=given["name"],
            words=words_of(given),
            kind=Incident.Kind.MAINTENANCE,
            scheduled_for=given["scheduled_for"],
            scheduled_until=given["scheduled_until"],
            remind_minutes=given["remind_minutes"],
            is_automatic=given["is_automatic"],
        )


class WindowSerializer(serializers.Serializer[Any]):
    """Another time. With a `body` it is said, and told unless `tells` is false."""

    scheduled_for = serializers.DateTimeField(required=False)
    scheduled_until = serializers.DateTimeField(required=False)
    body = serializers.CharField(max_length=LONGEST_BODY, required=False)
    tells = serializers.BooleanField(default=True)


class CancellationSerializer(serializers.Serializer[Any]):
    body = serializers.CharField(max_length=LONGEST_BODY)
    tells = serializers.BooleanField(default=True)


class MaintenanceFilters(IncidentFilters):
    after = django_filters.IsoDateTimeFilter(field_name="scheduled_until", lookup_expr="gt")
    before = django_filters.IsoDateTimeFilter(field_name="scheduled_for", lookup_expr="lt")


class MaintenanceViewSet(OfKind):
    """Planned work, newest first. Agents plan and publish; viewers read."""

    kind = Incident.Kind.MAINTENANCE
    serializer_class = MaintenanceSerializer
    shape = OneMaintenanceSerializer
    filterset_class = MaintenanceFilters

    @extend_schema(responses={200: OneMaintenanceSerializer})
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.answer(kwargs["public_id"])

    @extend_schema(request=NewMaintenanceSerializer, responses={201: OneMaintenanceSerializer})
    def create(self, request: Request) -> Response:
        """Plan one. Others on the same components at that time are named by `overlaps`."""
        given = NewMaintenanceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            made = maintenances.schedule(given.opening(), agent_of(request), at=timezone.now())
        except Refused as error:
            raise refused(error) from error
        return self.answer(made.public_id, 201)

    @extend_schema(request=WindowSerializer, responses={200: OneMaintenanceSerializer})
    @action(detail=True, methods=["post"], url_path="schedule", url_name="schedule")
    def reschedule(self, request: Request, public_id: str) -> Response:
        """Move it; once it has begun only its end."""
        given = WindowSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        found, new = one(self.kind, public_id), given.validated_data
        assert found.scheduled_for is not None and found.scheduled_until is not None, "a maintenance has a window"
        words = Words(found.status, new["body"], tells=new["tells"]) if "body" in new else None
        begins = new.get("scheduled_for", found.scheduled_for)
        ends = new.get("scheduled_until", begins + (found.scheduled_until - found.scheduled_for))
        try:
            maintenances.reschedule(found, begins, ends, agent_of(request), words=words, at=timezone.now())
        except Refused as error:
            raise refused(error) from error
        return self.answer(public_id)

    @extend_schema(request=CancellationSerializer, responses={200: OneMaintenanceSerializer, 204: None})
    @action(detail=True, methods=["post"])
    def cancellation(self, request: Request, public_id: str) -> Response:
        """Call it off before it begins; 204 where nobody had heard of it."""
        given = CancellationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        new, found = given.validated_data, one(self.kind, public_id)
        try:
            maintenances.cancel(found, agent_of(request), new["body"], tells=new["tells"], at=timezone.now())
        except Refused as error:
            raise refused(error) from error
        return self.answer(public_id) if found.published_at is not None else Response(status=204)
