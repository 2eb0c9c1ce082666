"""Incidents and their updates as the API reads and shows them."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from status.addresses import incident_url
from status.api.shapes import ComponentStates
from status.incidents import LONGEST_BODY, STATUSES, Opening, Words
from status.models import AffectedComponent, Impact, Incident, IncidentUpdate, State

IMPACTS: Final = [one for one in Impact.choices if one[0] != Impact.MAINTENANCE]
INCIDENT_STATUSES: Final = [(one.value, one.label) for one in STATUSES[Incident.Kind.INCIDENT]]
MAINTENANCE_STATUSES: Final = [(one.value, one.label) for one in STATUSES[Incident.Kind.MAINTENANCE]]
_WHEN: Final = "Publish then; until then nobody outside sees it."


class AffectedSerializer(serializers.ModelSerializer[AffectedComponent]):
    """What an update has changed of one component."""

    id = serializers.CharField(source="component.public_id")
    name = serializers.CharField(source="component.name")
    old_status = serializers.ChoiceField(source="old_state", choices=State.choices)
    new_status = serializers.ChoiceField(source="new_state", choices=State.choices)

    class Meta:
        model = AffectedComponent
        fields = ["id", "name", "old_status", "new_status"]


class UpdateSerializer(serializers.ModelSerializer[IncidentUpdate]):
    """Something said about an incident. What has no `published_at` nobody outside sees: a draft, or what waits for
    `publish_at`. A reminder is told, and shown nowhere.
    """

    id = serializers.CharField(source="public_id")
    incident = serializers.CharField(source="incident.public_id")
    affected_components = AffectedSerializer(source="affected", many=True)

    class Meta:
        model = IncidentUpdate
        fields = [
            "id", "incident", "status", "body", "short_text", "affected_components", "tells", "is_reminder",
            "display_at", "publish_at", "published_at", "created_by", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """Something broken, with its newest updates first. Nobody outside sees it before `published_at`."""

    id = serializers.CharField(source="public_id")
    impact = serializers.ChoiceField(source="shown_impact", choices=Impact.choices)
    components = ComponentStates(source="affected", help_text="How it leaves components now, by their ids.")
    updates = UpdateSerializer(source="newest_updates", many=True, help_text="The newest ten.")
    url = serializers.SerializerMethodField(help_text="Its page, once it is published.")

    class Meta:
        model = Incident
        fields = [
            "id", "name", "status", "impact", "impact_override", "components", "started_at", "monitoring_at",
            "resolved_at", "is_backfilled", "published_at", "created_by", "created_at", "updated_at", "updates", "url",
        ]  # fmt: skip
        read_only_fields = fields

    def get_url(self, incident: Incident) -> str:
        return incident_url(incident.public_id)


class NewUpdateSerializer(serializers.Serializer[Any]):
    """The next words. Published at once, unless `is_draft` or `publish_at` says otherwise."""

    status = serializers.ChoiceField(choices=Incident.Status.choices)
    body = serializers.CharField(max_length=LONGEST_BODY)
    components = ComponentStates(required=False, help_text="States by the components' ids.")
    tells = serializers.BooleanField(default=True, help_text="Subscribers and linked conversations are told.")
    short_text = serializers.CharField(max_length=280, default="", allow_blank=True)
    is_draft = serializers.BooleanField(default=False)
    publish_at = serializers.DateTimeField(required=False, allow_null=True, help_text=_WHEN)
    display_at = serializers.DateTimeField(required=False, allow_null=True)

    def words(self) -> Words:
        return words_of(self.validated_data)


def words_of(given: dict[str, Any]) -> Words:
    """The first or next words of what was given."""
    return Words(
        status=given["status"],
        body=given["body"],
        components=given.get("components"),
        tells=given["tells"],
        short_text=given["short_text"],
        display_at=given.get("display_at"),
        is_draft=given["is_draft"],
        publish_at=given.get("publish_at"),
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Incident",
            value={
                "name": "Websites on web14 are slow",
                "status": "investigating",
                "body": "We are looking into it.",
                "components": {"k3v9x0c2m1qa": "degraded_performance"},
            },
            request_only=True,
        )
    ]
)
class NewIncidentSerializer(NewUpdateSerializer):
    """An incident with its first words. What is written down afterwards (`is_backfilled`) has `started_at` and
    `resolved_at`, counts for uptime, and nobody is told.
    """

    name = serializers.CharField(max_length=200)
    status = serializers.ChoiceField(choices=INCIDENT_STATUSES, default=Incident.Status.INVESTIGATING.value)
    impact = serializers.ChoiceField(
        choices=IMPACTS, required=False, allow_null=True, help_text="Where it is not what its components say."
    )
    started_at = serializers.DateTimeField(required=False, allow_null=True, help_text="Where it broke before now.")
    resolved_at = serializers.DateTimeField(required=False, allow_null=True)
    is_backfilled = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("resolved_at") and not attrs["is_backfilled"]:
            raise serializers.ValidationError({"resolved_at": ["Only what is written down afterwards has one."]})
        if attrs["is_backfilled"] and not (attrs.get("started_at") and attrs.get("resolved_at")):
            raise serializers.ValidationError({"is_backfilled": ["Give started_at and resolved_at."]})
        if attrs["is_backfilled"]:
            attrs["status"] = Incident.Status.RESOLVED.value
        return attrs

    def opening(self) -> Opening:
        given = self.validated_data
        return Opening(
            name=given["name"],
            words=words_of({**given, "display_at": given.get("display_at") or given.get("resolved_at")}),
            impact_override=given.get("impact") or "",
            started_at=given.get("started_at"),
            resolved_at=given.get("resolved_at"),
            is_backfilled=given["is_backfilled"],
        )


class IncidentChangesSerializer(serializers.Serializer[Any]):
    """What can be changed of an incident; what is said of it is said by updates."""

    name = serializers.CharField(max_length=200, required=False)
    impact = serializers.ChoiceField(choices=IMPACTS, required=False, allow_null=True, help_text="null to derive it.")
    started_at = serializers.DateTimeField(required=False)


class CorrectionSerializer(serializers.Serializer[Any]):
    """Other words for an update, or another time that stands beside them; of what is not published everything else."""

    body = serializers.CharField(max_length=LONGEST_BODY, required=False)
    display_at = serializers.DateTimeField(required=False)
    status = serializers.ChoiceField(choices=Incident.Status.choices, required=False)
    components = ComponentStates(required=False, help_text="States by the components' ids, instead of those before.")
    tells = serializers.BooleanField(required=False)
    short_text = serializers.CharField(max_length=280, required=False, allow_blank=True)
    publish_at = serializers.DateTimeField(required=False, allow_null=True, help_text="null makes it a draft again.")

    def words(self, update: IncidentUpdate) -> Words:
        """What a draft says with these changes; without a time to come it stays a draft."""
        given = self.validated_data
        said = {int(pk): state for pk, state in update.components.items()} or None
        publish_at = given.get("publish_at", update.publish_at)
        return Words(
            status=given.get("status", update.status),
            body=given.get("body", update.body),
            components=given.get("components", said),
            tells=given.get("tells", update.tells),
            short_text=given.get("short_text", update.short_text),
            display_at=given.get("display_at"),
            is_draft=publish_at is None,
            publish_at=publish_at,
        )
