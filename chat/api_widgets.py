"""`/api/v1/widgets/`: where customers chat from, and the secrets their pages sign with."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from chat import colors, widget_editing, widgets
from chat.models import Widget, WidgetSecret
from helpdesk.customers.api_configured import Configured
from helpdesk.customers.api_fields import IdOrName
from helpdesk.customers.models import Team
from helpdesk.customers.permissions import IsAdmin, IsAdminOrReads, agent_of


class WidgetSecretSerializer(serializers.ModelSerializer[WidgetSecret]):
    """A secret that a page's server signs its users with. The secret itself is shown once, in the answer that makes
    it.
    """

    kid = serializers.CharField(max_length=40, required=False, help_text="Named by a token's header; made where none.")
    secret = serializers.SerializerMethodField(help_text="sk_…, only where it was made just now.")

    class Meta:
        model = WidgetSecret
        fields = ["kid", "created_at", "secret"]
        read_only_fields: ClassVar[list[str]] = ["created_at"]

    def get_secret(self, row: WidgetSecret) -> str | None:
        return getattr(row, "shown_secret", None)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Widget",
            value={
                "name": "Customers' dashboard",
                "origins": ["https://dashboard.example.com"],
                "team": "Support",
                "color": "#0b6e4f",
                "greeting": "Hello! How can we help?",
                "only_verified": True,
            },
            request_only=True,
        )
    ]
)
class WidgetSerializer(serializers.ModelSerializer[Widget]):
    """A place on customers' pages. `origins` are those of the pages it may be on, none for any. Where nothing could be
    read on `color`, a darker shade is shown: `shown_color`.
    """

    origins = serializers.ListField(child=serializers.CharField(max_length=300), required=False)
    team = IdOrName(name_field="name", queryset=Team.objects.all(), required=False, allow_null=True)
    color = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", required=False, help_text="Such as #2f55d4.")
    shown_color = serializers.SerializerMethodField()
    secrets = WidgetSecretSerializer(many=True, read_only=True)

    class Meta:
        model = Widget
        fields = [
            "id", "key", "name", "origins", "team", "color", "shown_color", "greeting", "asks_name", "asks_email",
            "needs_email", "only_verified", "when_closed", "sees_pages", "is_active", "created_at", "secrets",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = ["key", "created_at"]

    def get_shown_color(self, widget: Widget) -> str:
        return colors.readable(widget.color).ground

    def validate_color(self, color: str) -> str:
        return color.lower()

    def validate_origins(self, origins: list[str]) -> list[str]:
        try:
            return widget_editing.clean_origins(origins)
        except widget_editing.CannotChange as error:
            raise serializers.ValidationError(str(error)) from error

    def create(self, validated_data: Mapping[str, Any]) -> Widget:
        return Widget.objects.create(key=widget_editing.new_key(), created_at=timezone.now(), **validated_data)

    def update(self, instance: Widget, validated_data: Mapping[str, Any]) -> Widget:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=list(validated_data))
        widgets.forget(instance)
        return instance


_KID = OpenApiParameter("kid", str, OpenApiParameter.PATH, description="The secret's name.")


class WidgetViewSet(Configured):
    """Where customers chat from. Secrets have addresses of their own; admins alone make and remove them."""

    queryset = Widget.objects.prefetch_related("secrets")
    serializer_class = WidgetSerializer
    permission_classes = (IsAdminOrReads,)

    @extend_schema(request=WidgetSecretSerializer, responses={201: WidgetSecretSerializer})
    @action(detail=True, methods=["post"], permission_classes=[IsAdmin])
    def secrets(self, request: Request, pk: str) -> Response:
        """A new secret, shown in this answer alone. Two hold at a time, so that one can replace the other."""
        widget, at = self.get_object(), timezone.now()
        given = WidgetSecretSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            secret = widget_editing.add_secret(widget, given.validated_data.get("kid", ""), agent_of(request), at=at)
        except widget_editing.CannotChange as error:
            raise ValidationError({"kid": [str(error)]}) from error
        made = WidgetSecret.objects.filter(widget=widget).latest("pk")
        made.shown_secret = secret  # type: ignore[attr-defined]  # for this answer alone
        return Response(WidgetSecretSerializer(made).data, status=201)

    @extend_schema(request=None, responses={204: None}, parameters=[_KID])
    @action(
        detail=True,
        methods=["delete"],
        permission_classes=[IsAdmin],
        url_path=r"secrets/(?P<kid>[A-Za-z0-9._-]{1,40})",
    )
    def secret(self, request: Request, pk: str, kid: str) -> Response:
        """What was signed with it holds no more."""
        try:
            widget_editing.remove_secret(self.get_object(), kid, agent_of(request), at=timezone.now())
        except widget_editing.CannotChange as error:
            raise ValidationError({"kid": [str(error)]}) from error
        return Response(status=204)
