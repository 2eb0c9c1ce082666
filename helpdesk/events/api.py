"""`/api/v1/webhooks/`: whom we tell of events, and what became of it. Admins only."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.customers import audit
from helpdesk.customers.api_configured import Configured
from helpdesk.customers.permissions import IsAdmin, agent_of
from helpdesk.events import webhook_calls, webhooks
from helpdesk.events.models import Webhook, WebhookDelivery
from helpdesk.events.outcomes import NeverRetry

MAX_URL = 2048


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Webhook",
            value={
                "name": "Chat room",
                "url": "https://hooks.example.org/helpdesk",
                "kinds": ["conversation.opened", "message.received"],
                "includes_private": False,
            },
            request_only=True,
        )
    ]
)
class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """`secret` is shown once, in the answer that makes it. What fails for days is switched off;
    `trouble` says why.
    """

    url = serializers.CharField(max_length=MAX_URL)
    kinds = serializers.ListField(child=serializers.CharField(max_length=40), allow_empty=False, max_length=100)
    secret = serializers.SerializerMethodField(help_text="whsec_…, only where it was made just now.")

    class Meta:
        model = Webhook
        fields = [
            "id", "name", "url", "kinds", "includes_private", "is_active", "failing_since", "trouble", "created_by",
            "created_at", "secret",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = ["failing_since", "trouble", "created_by", "created_at"]

    def get_secret(self, webhook: Webhook) -> str | None:
        return getattr(webhook, "shown_secret", None)

    def validate_url(self, url: str) -> str:
        try:
            webhook_calls.check(url)
        except NeverRetry as error:
            raise serializers.ValidationError(_("We do not call this: %(why)s.") % {"why": error.reason}) from error
        return url

    def validate_kinds(self, kinds: list[str]) -> list[str]:
        known = webhooks.kinds()
        strange = sorted(set(kinds) - set(known))
        if strange:
            raise serializers.ValidationError(
                _("There is no %(strange)s; there are %(known)s.") % {"strange": strange[0], "known": ", ".join(known)}
            )
        return sorted(set(kinds))

    def create(self, validated_data: Mapping[str, Any]) -> Webhook:
        at = timezone.now()
        webhook = Webhook(**validated_data, created_at=at, created_by=agent_of(self.context["request"]))
        secret = webhooks.give_secret(webhook, at=at)
        webhook.save()
        webhook.shown_secret = secret  # type: ignore[attr-defined]  # for this answer alone
        return webhook

    def update(self, instance: Webhook, validated_data: Mapping[str, Any]) -> Webhook:
        if validated_data.get("is_active") and not instance.is_active:
            instance.failing_since, instance.trouble = None, ""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=[*validated_data, "failing_since", "trouble"])
        if not instance.is_active:
            webhooks.abandon(instance)
        return instance


class WebhookDeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """One event on its way to one webhook, with what was sent and how the last attempt went."""

    webhook_id = serializers.SerializerMethodField(help_text="The header of this name.")
    body = serializers.SerializerMethodField(help_text="The beginning of what is sent.")
    next_at = serializers.DateTimeField(source="due_at", allow_null=True, help_text="When it is tried next.")

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "webhook_id", "kind", "event", "state", "attempts", "status", "milliseconds", "created_at",
            "tried_at", "next_at", "body", "response", "error",
        ]  # fmt: skip
        read_only_fields = fields

    def get_webhook_id(self, told: WebhookDelivery) -> str:
        return webhooks.number_of(told)

    def get_body(self, told: WebhookDelivery) -> str:
        return told.body[:4_000]


class WebhookViewSet(Configured):
    """Addresses that are told of events, signed as Standard Webhooks say."""

    queryset = Webhook.objects.all()
    serializer_class = WebhookSerializer
    permission_classes = (IsAdmin,)

    @extend_schema(request=None, responses={202: WebhookDeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send it a `webhook.test`; its delivery tells how it went."""
        try:
            told = webhooks.send_test(self.get_object(), at=timezone.now())
        except webhooks.NotActive as error:
            raise Conflict(str(error)) from error
        return Response(WebhookDeliverySerializer(told).data, status=202)

    @extend_schema(request=None, responses={200: WebhookSerializer})
    @action(detail=True, methods=["post"])
    @transaction.atomic
    def rotation(self, request: Request, pk: str) -> Response:
        """A new secret, shown in this answer alone. For a day the old one signs as well."""
        webhook, at = self.get_object(), timezone.now()
        secret = webhooks.give_secret(webhook, at=at)
        webhook.save(update_fields=["secret", "old_secret", "old_secret_until"])
        audit.record(agent_of(request).pk, "rotated", webhook, {}, {}, at=at)
        webhook.shown_secret = secret
        return Response(self.get_serializer(webhook).data)

    @extend_schema(responses={200: WebhookDeliverySerializer(many=True)}, filters=False)
    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, pk: str) -> Response:
        """What was sent, newest first; kept for 30 days."""
        rows = self.paginate_queryset(WebhookDelivery.objects.filter(webhook=self.get_object())) or []
        return self.get_paginated_response(WebhookDeliverySerializer(rows, many=True).data)


class Replay(APIView):
    """Send a delivery that ended once more: the same bytes under the same `webhook-id`."""

    permission_classes = (IsAdmin,)

    @extend_schema(request=None, responses={202: WebhookDeliverySerializer})
    def post(self, request: Request, webhook_id: int, delivery_id: int) -> Response:
        if not WebhookDelivery.objects.filter(pk=delivery_id, webhook=webhook_id).exists():
            raise NotFound("There is no such delivery.")
        try:
            told = webhooks.replay(delivery_id, at=timezone.now())
        except (webhooks.NotActive, webhooks.StillWaiting) as error:
            raise Conflict(str(error)) from error
        return Response(WebhookDeliverySerializer(told).data, status=202)
