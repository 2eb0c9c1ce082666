"""`/api/v1/audit/`: who changed what. Admins only."""

import django_filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers, viewsets

from helpdesk.customers.api_fields import ID
from helpdesk.customers.api_filters import IdFilter
from helpdesk.customers.models import AuditEntry
from helpdesk.customers.permissions import IsAdmin

_VALUES = {"type": "object", "additionalProperties": True}


@extend_schema_field(_VALUES)
class Values(serializers.JSONField):
    """Columns by name."""


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    actor_name = serializers.CharField(source="actor", default="", help_text="Empty where it was the house itself.")
    before = Values()
    after = Values()

    class Meta:
        model = AuditEntry
        fields = ["id", "at", "actor", "actor_name", "action", "kind", "thing_id", "name", "before", "after"]
        read_only_fields = fields


class AuditFilters(django_filters.FilterSet):  # type: ignore[misc]
    kind = django_filters.CharFilter(max_length=40)
    thing = IdFilter(field_name="thing_id")
    actor = IdFilter()
    action = django_filters.CharFilter(max_length=40)
    since = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte", help_text="ISO 8601.")
    until = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt", help_text="ISO 8601.")


class AuditViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[AuditEntry]):
    """Every change of what is configured, newest first. Nothing in it can be changed or removed."""

    queryset = AuditEntry.objects.select_related("actor")
    serializer_class = AuditEntrySerializer
    filterset_class = AuditFilters
    permission_classes = (IsAdmin,)
    lookup_value_regex = ID
