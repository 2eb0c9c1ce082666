"""Pages, schedules and stand-ins as the API shows and takes them."""

import re
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from helpdesk.customers.api_fields import IdOrName, TimeZone, WholeMixin
from helpdesk.customers.models import User
from helpdesk.events.actors import Actor
from helpdesk.oncall import rota, rota_editing
from helpdesk.oncall.models import Layer, Override, Page, PageDelivery, Schedule
from helpdesk.oncall.wall_clock import YEARS

MAX_LAYERS = 20
MAX_MEMBERS = 100
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


class PersonSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "name", "email"]


class PageDeliverySerializer(serializers.ModelSerializer[PageDelivery]):
    at = serializers.DateTimeField(source="sent_at", allow_null=True, help_text="When it was sent.")

    class Meta:
        model = PageDelivery
        fields = ["channel", "to", "action", "state", "attempts", "error", "due_at", "at"]


class ReasonSerializer(serializers.Serializer[dict[str, Any]]):
    kind = serializers.CharField()
    text = serializers.CharField()
    since = serializers.CharField()
    at = serializers.CharField()
    late_seconds = serializers.IntegerField()


class PageSerializer(serializers.ModelSerializer[Page]):
    reasons = ReasonSerializer(many=True)
    acknowledged_by = serializers.PrimaryKeyRelatedField[User](read_only=True, allow_null=True)
    deliveries = PageDeliverySerializer(many=True)

    class Meta:
        model = Page
        fields = [
            "id", "dedup_key", "urgency", "summary", "reasons", "state", "conversation", "triggered_at",
            "acknowledged_at", "acknowledged_by", "resolved_at", "deliveries",
        ]  # fmt: skip
        read_only_fields = fields


class TimeOfDay(serializers.CharField):
    """`HH:MM`."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not _TIME.fullmatch(text) and not (self.field_name == "end" and text == "24:00"):
            raise serializers.ValidationError(_("Write a time of day such as 08:00."))
        return text


class RestrictionSerializer(serializers.Serializer[dict[str, Any]]):
    """The layer covers only these days (0 is Monday) from `start` to `end`, an end before the start being next day."""

    days = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), allow_empty=False, max_length=7
    )
    start = TimeOfDay()
    end = TimeOfDay()


class LayerSerializer(serializers.ModelSerializer[Layer]):
    position = serializers.IntegerField(min_value=0, max_value=32_767)
    rotation = serializers.ChoiceField(Layer.Rotation.choices)
    turn = serializers.IntegerField(min_value=1, max_value=366 * 24, default=1)
    handoff = serializers.TimeField(format="%H:%M")
    restrictions = serializers.ListField(
        child=RestrictionSerializer(), max_length=rota.MOST_RESTRICTIONS, required=False, default=list
    )
    members = serializers.SerializerMethodField()

    class Meta:
        model = Layer
        fields = ["position", "rotation", "turn", "starts_on", "handoff", "restrictions", "members"]
        validators: ClassVar[list[Any]] = []  # layers come as a list, which is judged as a whole

    def get_members(self, layer: Layer) -> list[int]:
        return [turn.user_id for turn in layer.turns.all()]


class LayerInputSerializer(WholeMixin, LayerSerializer):
    members = serializers.ListField(  # type: ignore[assignment]
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        max_length=MAX_MEMBERS,
        help_text="Ids of agents, in the order of their turns.",
    )

    def validate_starts_on(self, starts_on: Any) -> Any:
        if starts_on.year not in YEARS:
            raise serializers.ValidationError(
                _("Between %(first)s and %(last)s, please.") % {"first": YEARS[0], "last": YEARS[-1]}
            )
        return starts_on


class ScheduleSerializer(serializers.ModelSerializer[Schedule]):
    layers = serializers.SerializerMethodField()

    class Meta:
        model = Schedule
        fields = ["id", "name", "timezone", "fallback", "planned_until", "layers"]

    def get_layers(self, schedule: Schedule) -> list[dict[str, Any]]:
        # A layer without members is one that was taken out; only its past is kept.
        shown = [layer for layer in schedule.layers.all() if layer.turns.all()]
        return [dict(layer) for layer in LayerSerializer(shown, many=True).data]


class ScheduleInputSerializer(serializers.ModelSerializer[Schedule]):
    """`layers` written replace those that were; what was on call before now stays on record."""

    name = serializers.CharField(max_length=80, validators=[UniqueValidator(Schedule.objects.all())])
    timezone = TimeZone()
    fallback = IdOrName(name_field="email", queryset=User.objects.filter(is_active=True))
    layers = LayerInputSerializer(many=True, required=False)

    class Meta:
        model = Schedule
        fields = ["name", "timezone", "fallback", "layers"]

    def validate_layers(self, layers: list[dict[str, Any]]) -> list[rota_editing.LayerGiven]:
        if len(layers) > MAX_LAYERS:
            raise serializers.ValidationError(_("A schedule has at most %(most)s layers.") % {"most": MAX_LAYERS})
        if len({layer["position"] for layer in layers}) < len(layers):
            raise serializers.ValidationError(_("One layer a position."))
        wanted = {member for layer in layers for member in layer["members"]}
        people = User.objects.filter(is_active=True).in_bulk(wanted)
        if unknown := sorted(wanted - people.keys()):
            raise serializers.ValidationError(_("There is no active agent %(name)s.") % {"name": unknown[0]})
        return [
            rota_editing.LayerGiven(**{**layer, "members": [people[member] for member in layer["members"]]})
            for layer in layers
        ]

    def create(self, validated_data: dict[str, Any]) -> Schedule:
        return self._save(Schedule(), validated_data)

    def update(self, instance: Schedule, validated_data: dict[str, Any]) -> Schedule:
        known = {"name": instance.name, "timezone": instance.timezone, "fallback": instance.fallback}
        return self._save(instance, {**known, **validated_data})

    def _save(self, schedule: Schedule, given: dict[str, Any]) -> Schedule:
        actor = Actor.agent(self.context["request"].user)
        try:
            return rota_editing.save_schedule(schedule, **given, at=timezone.now(), actor=actor)
        except ValueError as error:
            raise serializers.ValidationError({"layers": [str(error)]}) from error

    def to_representation(self, instance: Schedule) -> dict[str, Any]:
        return dict(ScheduleSerializer(instance, context=self.context).data)


class Instant(serializers.DateTimeField):
    """An instant in the years rotas are reckoned in."""

    def to_internal_value(self, value: Any) -> datetime:
        at = super().to_internal_value(value)
        if at.year not in YEARS:
            raise serializers.ValidationError(
                _("Between %(first)s and %(last)s, please.") % {"first": YEARS[0], "last": YEARS[-1]}
            )
        return at


class OverrideSerializer(serializers.ModelSerializer[Override]):
    """Somebody stands in from `start` to `end`."""

    user = IdOrName(name_field="email", queryset=User.objects.filter(is_active=True))
    start = Instant(source="during.lower")
    end = Instant(source="during.upper")

    class Meta:
        model = Override
        fields = ["id", "user", "start", "end", "reason"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        during = attrs.pop("during")
        if during["lower"] >= during["upper"]:
            raise serializers.ValidationError({"end": [_("It ends after it starts.")]})
        return {**attrs, "start": during["lower"], "end": during["upper"]}


class WindowSerializer(serializers.Serializer[dict[str, datetime]]):
    """`from` and `until`, each optional."""

    until = Instant(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"from": Instant(required=False), **super().get_fields()}


class SlotSerializer(serializers.Serializer[rota.Slot]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    user = serializers.IntegerField(allow_null=True, help_text="Null in a gap: then the fallback is called.")
    source = serializers.CharField()  # type: ignore[assignment]


class OnCallSerializer(serializers.Serializer[dict[str, Any]]):
    """Who would be called now, until when, and who follows."""

    id = serializers.IntegerField(help_text="The schedule's id.")
    name = serializers.CharField()
    timezone = serializers.CharField()
    on_call = PersonSerializer()
    is_fallback = serializers.BooleanField(help_text="True where nobody has a shift.")
    until = serializers.DateTimeField(allow_null=True, help_text="The next hand-off within two weeks.")
    next = PersonSerializer(allow_null=True)


class OnCallNowSerializer(serializers.Serializer[dict[str, Any]]):
    at = serializers.DateTimeField()
    schedules = OnCallSerializer(many=True)
