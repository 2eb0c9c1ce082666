"""`/api/v1/components/` and `/api/v1/component-groups/`: what the status page shows."""

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from helpdesk.customers.api_configured import Configured
from helpdesk.customers.api_fields import IdOrName
from helpdesk.customers.models import Service
from helpdesk.customers.pagination import OldestFirst
from status import editing
from status.api.shapes import PUBLIC_ID
from status.models import Component, State

_GROUPS = Component.objects.filter(is_group=True)


class _Written(serializers.ModelSerializer[Component]):
    """Saved by the room's own actions."""

    is_group = False

    def create(self, validated_data: Mapping[str, Any]) -> Component:
        given = dict(validated_data)
        services = given.pop("services", ())
        return editing.add({**given, "is_group": self.is_group}, services=services, at=timezone.now())

    def update(self, instance: Component, validated_data: Mapping[str, Any]) -> Component:
        given = dict(validated_data)
        services = given.pop("services", None)
        return editing.change(instance, given, services=services, at=timezone.now())


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Component",
            value={
                "name": "web14.example.com",
                "group": "k3v9x0c2m1qa",
                "services": ["web14.example.com"],
                "description": "Websites on cluster c01",
            },
            request_only=True,
        )
    ]
)
class ComponentSerializer(_Written):
    """Something customers can see working. `status` is the worst of what open incidents say and of `own_status`, which
    is set by hand and holds where no incident says otherwise. Private ones only customers see who have one of its
    `services`.
    """

    id = serializers.CharField(source="public_id", read_only=True)
    status = serializers.ChoiceField(source="state", choices=State.choices, read_only=True)
    own_status = serializers.ChoiceField(source="own_state", choices=State.choices, required=False)
    group = serializers.SlugRelatedField(slug_field="public_id", queryset=_GROUPS, required=False, allow_null=True)
    services = IdOrName(name_field="name", queryset=Service.objects.all(), many=True, required=False)
    started_on = serializers.DateField(required=False, help_text="Uptime is counted from this day; today where none.")

    class Meta:
        model = Component
        fields = [
            "id", "name", "description", "status", "own_status", "group", "position", "shows_uptime",
            "only_if_degraded", "is_private", "started_on", "services", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = ["created_at", "updated_at"]


class ComponentGroupSerializer(_Written):
    """A group on the page, such as a cluster with its servers. It has no state of its own."""

    is_group = True
    id = serializers.CharField(source="public_id", read_only=True)
    components: Any = serializers.SlugRelatedField(slug_field="public_id", many=True, read_only=True)

    class Meta:
        model = Component
        fields = ["id", "name", "description", "position", "is_private", "components", "created_at", "updated_at"]
        read_only_fields: ClassVar[list[str]] = ["created_at", "updated_at"]


class ComponentFilters(django_filters.FilterSet):  # type: ignore[misc]
    status = django_filters.ChoiceFilter(field_name="state", choices=State.choices)
    group = django_filters.CharFilter(field_name="group__public_id", max_length=12)
    service = django_filters.CharFilter(field_name="services__name", lookup_expr="iexact", max_length=200)


class _OnPage(Configured):
    lookup_field = "public_id"
    lookup_value_regex = PUBLIC_ID
    pagination_class = OldestFirst

    def remove(self, instance: Component) -> None:
        editing.remove(instance, at=timezone.now())


class ComponentViewSet(_OnPage):
    """What the status page shows the state of, groups left out. Admins write."""

    queryset = Component.objects.filter(is_group=False).select_related("group").prefetch_related("services")
    serializer_class = ComponentSerializer
    filterset_class = ComponentFilters


class ComponentGroupViewSet(_OnPage):
    """Groups of components, such as clusters. Admins write."""

    queryset = _GROUPS.prefetch_related("components")
    serializer_class = ComponentGroupSerializer
