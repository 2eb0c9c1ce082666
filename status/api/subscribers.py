"""`/api/v1/subscribers/`: who is told of the status page's updates."""

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.customers.api_configured import Configured
from helpdesk.customers.permissions import agent_of
from helpdesk.events.actors import Actor
from helpdesk.events.secrets import decrypt
from status import distributing, importing, subscribing
from status.importing import NotAList
from status.models import Component, Subscriber
from status.subscribing import MOST_COMPONENTS, NotAnAddress, Wishes
from status.views.importing import note


@extend_schema_serializer(
    examples=[
        OpenApiExample("E-mail", value={"kind": "email", "address": "ops@example.org"}, request_only=True),
        OpenApiExample(
            "Slack", value={"kind": "slack", "address": "C024BE91L", "components": ["k3v9x0c2m1qa"]}, request_only=True
        ),
    ]
)
class SubscriberSerializer(serializers.ModelSerializer[Subscriber]):
    """Somebody who is told. E-mail addresses and webhooks are asked to confirm first, unless they are `confirmed`
    already (elsewhere); Slack's channels and Telegram's chats are told at once. Without `components` it is everything.
    """

    components: Any = serializers.SlugRelatedField(
        slug_field="public_id", queryset=Component.objects.all(), many=True, required=False
    )
    language = serializers.ChoiceField(choices=settings.LANGUAGES, required=False)
    confirmed = serializers.BooleanField(
        write_only=True, required=False, default=False, help_text="They have agreed elsewhere: ask no more."
    )
    is_connected = serializers.SerializerMethodField(help_text="Whether this kind can be reached at all.")
    secret = serializers.SerializerMethodField(help_text="A webhook's whsec_…, only where it was made just now.")

    class Meta:
        model = Subscriber
        fields = [
            "id", "kind", "address", "status", "components", "only_own", "language", "customer", "confirmed",
            "is_connected", "failing_since", "trouble", "asked_at", "confirmed_at", "ended_at", "created_at", "secret",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = [
            "status", "customer", "failing_since", "trouble", "asked_at", "confirmed_at", "ended_at", "created_at",
        ]  # fmt: skip
        # A known one is changed instead: the page answers strangers alike, and the API follows.
        validators: ClassVar[list[Any]] = []

    def get_is_connected(self, subscriber: Subscriber) -> bool:
        return subscriber.kind in distributing.connected_kinds()

    def get_secret(self, subscriber: Subscriber) -> str | None:
        return getattr(subscriber, "shown_secret", None)

    def validate_components(self, components: list[Component]) -> list[Component]:
        if len(components) > MOST_COMPONENTS:
            raise serializers.ValidationError(_("At most %(most)s.") % {"most": MOST_COMPONENTS})
        return components

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is not None:
            for name in ("kind", "address"):
                if name in attrs and attrs[name] != getattr(self.instance, name):
                    raise serializers.ValidationError({name: _("Remove it and add another one instead.")})
        else:
            try:
                attrs["address"] = subscribing.checked(attrs["kind"], attrs["address"])
            except NotAnAddress as error:
                raise serializers.ValidationError({"address": _("We send nothing there: %s.") % error}) from error
        return attrs

    def create(self, validated_data: Mapping[str, Any]) -> Subscriber:
        made = subscribing.add(
            validated_data["kind"],
            validated_data["address"],
            self._wishes(None, validated_data),
            is_confirmed=validated_data["confirmed"],
            actor=Actor.agent(agent_of(self.context["request"])),
            at=timezone.now(),
        )
        if made.kind == Subscriber.Kind.WEBHOOK and made.status == Subscriber.Status.ACTIVE:
            made.shown_secret = decrypt(made.secret)  # type: ignore[attr-defined]  # for this answer alone
        return made

    def update(self, instance: Subscriber, validated_data: Mapping[str, Any]) -> Subscriber:
        subscribing.change(instance, self._wishes(instance, validated_data))
        instance.refresh_from_db()
        return instance

    def _wishes(self, found: Subscriber | None, given: Mapping[str, Any]) -> Wishes:
        components = [one.pk for one in given.get("components", ())]
        if found is not None and "components" not in given and not found.wants_all:
            components = list(found.components.values_list("pk", flat=True))
        return Wishes(
            components or None,
            given.get("only_own", found.only_own if found else False),
            given.get("language", found.language if found else "en"),
        )


class SubscriberListSerializer(serializers.Serializer[Any]):
    """A list as CSV: one address a line, or a table with `email`, and perhaps `language` and `components` (ids or
    names, separated by semicolons).
    """

    csv = serializers.CharField(max_length=importing.MOST_BYTES, trim_whitespace=False)
    consent = serializers.CharField(
        max_length=140, default="", allow_blank=True,
        help_text="Where they have agreed already; kept with each of them. Without it each is asked first.",
    )  # fmt: skip


class ImportedSubscribersSerializer(serializers.Serializer[Any]):
    """What became of a list; `refused` are the first lines that were left out, each with its number and the reason."""

    made = serializers.IntegerField()
    known = serializers.IntegerField()
    refused = serializers.ListField(child=serializers.CharField())
    refused_count = serializers.IntegerField()


class SubscriberFilter(django_filters.FilterSet):  # type: ignore[misc]
    address = django_filters.CharFilter(lookup_expr="iexact")

    class Meta:
        model = Subscriber
        fields: ClassVar[list[str]] = ["kind", "status", "customer"]


class SubscriberViewSet(Configured):
    """Who is told of what is published on the status page. Removing one forgets them altogether."""

    queryset = Subscriber.objects.prefetch_related("components")
    serializer_class = SubscriberSerializer
    filterset_class = SubscriberFilter

    @extend_schema(request=SubscriberListSerializer, responses={200: ImportedSubscribersSerializer})
    @action(detail=False, methods=["post"], url_path="import", pagination_class=None, filterset_class=None)
    def bring_in(self, request: Request) -> Response:
        """Many e-mail addresses at once. Whoever is there already, or has left, stays as they are."""
        given = SubscriberListSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user, said = agent_of(request), given.validated_data
        try:
            found = importing.import_all(said["csv"], user, consent=said["consent"], at=timezone.now())
        except NotAList as error:
            raise serializers.ValidationError({"csv": str(error)}) from error
        note(user.pk, found, said["consent"])
        return Response(ImportedSubscribersSerializer(found).data)
