"""People, companies and what they bought, as the API shows and takes them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from helpdesk.customers import records
from helpdesk.customers.api_fields import TimeZone
from helpdesk.customers.models import Customer, Identity, Organization, Plan, Service, Team


class IdentitySerializer(serializers.ModelSerializer[Identity]):
    class Meta:
        model = Identity
        fields = ["channel", "handle", "verified_at"]


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    email = serializers.EmailField(max_length=320, required=False, allow_blank=True)
    timezone = TimeZone(required=False, allow_blank=True)
    identities = IdentitySerializer(many=True, read_only=True)

    class Meta:
        model = Customer
        fields = [
            "id", "name", "email", "organization", "language", "timezone", "notes", "blocked_at", "created_at",
            "is_manager", "identities",
        ]  # fmt: skip
        read_only_fields = ["created_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None and not attrs.get("email") and not attrs.get("name"):
            raise serializers.ValidationError(_("A customer needs a name or an e-mail address."))
        return attrs

    def create(self, validated_data: Mapping[str, Any]) -> Customer:
        try:
            return records.add_customer(validated_data, at=timezone.now())
        except records.AlreadyKnown as error:
            raise serializers.ValidationError({"email": [str(error)]}) from error

    def update(self, instance: Customer, validated_data: Mapping[str, Any]) -> Customer:
        try:
            return records.change_customer(instance, validated_data)
        except records.AlreadyKnown as error:
            raise serializers.ValidationError({"email": [str(error)]}) from error


class HostNames(serializers.ListField):
    """Names of machines or mail domains, kept in lower case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=253), max_length=200, required=False, **options)

    def to_internal_value(self, data: Any) -> list[str]:
        return sorted({name.lower() for name in super().to_internal_value(data)})


class OrganizationSerializer(serializers.ModelSerializer[Organization]):
    domains = HostNames()

    class Meta:
        model = Organization
        fields = ["id", "name", "plan", "customer_since", "domains", "notes"]


class PlanSerializer(serializers.ModelSerializer[Plan]):
    class Meta:
        model = Plan
        fields = [
            "id", "name", "policy", "support_hours", "urgent_when_closed", "realtime", "realtime_days",
            "realtime_channels", "is_default",
        ]  # fmt: skip
        # One default plan is the database's rule; here a new one takes the place of the old one.
        extra_kwargs: ClassVar[dict[str, Any]] = {"is_default": {"validators": []}}

    def validate_is_default(self, is_default: bool) -> bool:
        if self.instance is not None and self.instance.is_default and not is_default:
            raise serializers.ValidationError(_("Make another plan the default one instead."))
        return is_default

    def save(self, **kwargs: Any) -> Plan:
        if self.validated_data.get("is_default"):
            Plan.objects.filter(is_default=True).update(is_default=False)
        return super().save(**kwargs)


class ServiceSerializer(serializers.ModelSerializer[Service]):
    aliases = HostNames()

    class Meta:
        model = Service
        fields = ["id", "kind", "name", "aliases", "parent", "organizations"]

    def validate_name(self, name: str) -> str:
        lower = name.lower()
        others = Service.objects.filter(name=lower)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError(_("There is a service of this name."))
        return lower

    def validate_parent(self, parent: Service | None) -> Service | None:
        """A service lies in another, never in itself, however many steps up."""
        above = parent
        while above is not None and self.instance is not None:
            if above.pk == self.instance.pk:
                raise serializers.ValidationError(_("A service cannot lie in itself."))
            above = above.parent
        return parent


class TeamSerializer(serializers.ModelSerializer[Team]):
    class Meta:
        model = Team
        fields = ["id", "name", "escalation_policy"]
