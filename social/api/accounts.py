"""`/api/v1/accounts/`: our accounts on the networks. Secrets are written and never shown."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.customers.api_configured import Configured
from helpdesk.customers.api_fields import IdOrName
from helpdesk.customers.models import Team
from helpdesk.oncall.models import Schedule
from helpdesk.sla.models import Policy
from social import accounts, connecting, spending
from social.models import Account
from social.network import network

_COLUMNS = (
    *("name", "handle", "external_id", "base_url", "is_active", "team", "policy", "schedule", "coverage", "checks"),
    *("needs_approval", "send_delay", "daily_cap"),
)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Mastodon",
            value={
                "network": "mastodon",
                "name": "Demo on Mastodon",
                "base_url": "https://mastodon.example",
                "secrets": {"access_token": "…"},
            },
            request_only=True,
        )
    ]
)
class AccountSerializer(serializers.ModelSerializer[Account]):
    """An account. What its network needs is on the settings page; an empty secret keeps the one that is there."""

    team = IdOrName(name_field="name", queryset=Team.objects.all(), required=False, allow_null=True)
    policy = IdOrName(name_field="name", queryset=Policy.objects.all(), required=False, allow_null=True)
    schedule = IdOrName(name_field="name", queryset=Schedule.objects.all(), required=False, allow_null=True)
    secrets = serializers.DictField(
        child=serializers.CharField(max_length=1000, allow_blank=True),
        write_only=True,
        required=False,
        help_text="By the names the network gives them; stored encrypted and never shown.",
    )
    staff_handles = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=200, required=False, write_only=True
    )
    checks = serializers.ListField(child=serializers.TimeField(format="%H:%M"), max_length=24, required=False)
    missing = serializers.SerializerMethodField(help_text="What is needed still, by name.")
    spent_today = serializers.SerializerMethodField(help_text="Millionths of a dollar on this UTC day.")

    class Meta:
        model = Account
        fields = [
            "id", "network", "name", "handle", "external_id", "base_url", "is_from_environment", "is_active", "state",
            "state_detail", "checked_at", "last_event_at", "token_expires_at", "daily_cap", "spent_today", "team",
            "policy", "schedule", "coverage", "checks", "needs_approval", "send_delay", "staff_handles", "secrets",
            "missing", "created_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = [
            "is_from_environment", "state", "state_detail", "checked_at", "last_event_at", "token_expires_at",
            "created_at",
        ]  # fmt: skip
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "send_delay": {"max_value": 600},
            "daily_cap": {"max_value": 10**15},
        }
        # Whose account it is already is said by `connecting.keep`.
        validators: ClassVar[list[Any]] = []

    def get_missing(self, account: Account) -> list[str]:
        return [one.name for one in connecting.missing(account, connecting.entered(account))]

    def get_spent_today(self, account: Account) -> int:
        return spending.today(account, at=timezone.now())

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        name = attrs.get("network", self.instance.network if self.instance else "")
        if self.instance is not None and name != self.instance.network:
            raise serializers.ValidationError({"network": "Another network is another account."})
        if self.instance is not None and self.instance.is_from_environment:
            fixed = {"base_url", "external_id", "secrets"} & attrs.keys()
            if fixed:
                raise serializers.ValidationError(dict.fromkeys(fixed, "It is set in the environment of the server."))
        unknown = attrs.get("secrets", {}).keys() - {one.name for one in network(name).needs if one.is_secret}
        if unknown:
            raise serializers.ValidationError({"secrets": f"{name} has no {', '.join(sorted(unknown))}."})
        return attrs

    def create(self, validated_data: Mapping[str, Any]) -> Account:
        return self._keep(Account(network=validated_data["network"], created_at=timezone.now()), validated_data)

    def update(self, instance: Account, validated_data: Mapping[str, Any]) -> Account:
        return self._keep(instance, validated_data)

    def _keep(self, account: Account, given: Mapping[str, Any]) -> Account:
        columns = {name: given[name] for name in _COLUMNS if name in given}
        options = {connecting.STAFF: given["staff_handles"]} if "staff_handles" in given else {}
        try:
            return connecting.keep(
                account, columns, secrets=given.get("secrets", {}), options=options, at=timezone.now()
            )
        except connecting.Taken as error:
            raise serializers.ValidationError({error.field: "There is a row for this account already."}) from error


class AccountViewSet(Configured):
    """Our accounts on the networks. One that anything was said on stays: take it out of use by `is_active`."""

    queryset = Account.objects.order_by("-id")
    serializer_class = AccountSerializer
    filterset_fields: ClassVar[list[str]] = ["network", "state", "is_active"]
    http_method_names = ["get", "head", "options", "post", "patch"]

    @extend_schema(request=None, responses=AccountSerializer)
    @action(detail=True, methods=["post"])
    def probe(self, request: Request, pk: str) -> Response:
        """Ask the network who we are with these credentials; the account as it is then."""
        account = self.get_object()
        accounts.probe(account, at=timezone.now())
        account.refresh_from_db()
        return Response(self.get_serializer(account).data)
