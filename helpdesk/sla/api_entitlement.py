"""`/api/v1/customers/{id}/entitlements/`: what a customer may do now, and why."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.customers.models import Customer
from helpdesk.sla import entitlement, entitlement_words


class ChannelSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    is_open = serializers.BooleanField()
    why = serializers.CharField(help_text="always, plan, first_days, grant, booking, over, never, not_in_plan, blocked")
    until = serializers.DateTimeField(allow_null=True)


class PromiseSerializer(serializers.Serializer[Any]):
    target = serializers.CharField()
    priority = serializers.CharField()
    seconds = serializers.IntegerField(help_text="Of the opening hours of `goals_hours`.")


class GrantSerializer(serializers.Serializer[Any]):
    begins_at = serializers.DateTimeField()
    until = serializers.DateTimeField()
    by = serializers.CharField()


class ComingPlanSerializer(serializers.Serializer[Any]):
    plan = serializers.CharField(source="plan.name")
    due_at = serializers.DateTimeField()
    reason = serializers.CharField()


class EntitlementLineSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    says = serializers.CharField()
    why = serializers.CharField()


class EntitledSerializer(serializers.Serializer[Any]):
    plan = serializers.CharField(source="plan.name", default=None, allow_null=True)
    plan_why = serializers.CharField(help_text="organization, default or none")
    since = serializers.DateField()
    realtime = serializers.CharField(help_text="always, first_days or never")
    realtime_until = serializers.DateField(allow_null=True, help_text="The last day of the first days.")
    channels = ChannelSerializer(many=True)
    hours = serializers.CharField()
    is_open = serializers.BooleanField()
    opens_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)
    goals = PromiseSerializer(many=True)
    goals_hours = serializers.CharField()
    grants = GrantSerializer(many=True)
    changes = ComingPlanSerializer(many=True)
    lines = EntitlementLineSerializer(many=True, help_text="The same in words, each with its reason.")


class Entitlements(APIView):
    """What this customer may do now, and why."""

    at = OpenApiParameter("at", str, description="Another time to ask about, ISO 8601 with an offset.")

    @extend_schema(parameters=[at], responses={200: EntitledSerializer})
    def get(self, request: Request, customer_id: int) -> Response:
        customer = Customer.objects.select_related("organization__plan").filter(pk=customer_id).first()
        if customer is None:
            raise NotFound("There is no such customer.")
        at = timezone.now()
        if asked := request.query_params.get("at"):
            try:
                at = serializers.DateTimeField().to_internal_value(asked)
            except serializers.ValidationError as error:
                raise ValidationError({"at": error.detail}) from error
        found = entitlement.explain(customer, at=at)
        shown = EntitledSerializer(found)
        shown.fields.pop("lines")
        lines = EntitlementLineSerializer(entitlement_words.lines(found, at), many=True).data
        return Response({**shown.data, "lines": lines})
