"""Rules, macros, canned replies, views, custom fields and blocked senders as the API shows and takes them; the settings
pages check and save through these as well.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from helpdesk.conversations.models import CustomField
from helpdesk.customers.models import Team, User
from helpdesk.customers.permissions import agent_of
from tickets.desk import blocking, filters, kept, macros, rules, steps, variables
from tickets.desk.models import BlockedSender, CannedReply, Macro, Rule, RuleRun, SavedView, Shared

MAX_TEXT = 20_000
_OBJECTS = {"type": "array", "items": {"type": "object", "additionalProperties": True}}


@extend_schema_field(_OBJECTS)
class Conditions(serializers.JSONField):
    """`{"field", "operator", "value"}`, all of which must hold."""


@extend_schema_field(_OBJECTS)
class Actions(serializers.JSONField):
    """`{"do", "value"}`, one after the other."""


@extend_schema_field({"type": "object", "additionalProperties": True})
class Filters(serializers.JSONField):
    """What a view shows."""


_ACTIONS = [
    {"do": "add_tags", "value": ["vip"]},
    {"do": "set_priority", "value": "high"},
    {"do": "reply", "value": "Hello {{ customer.first_name|there }},\n\nwe have seen it and are on it."},
]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Rule",
            value={
                "name": "Enterprise at night",
                "event": "conversation.opened",
                "idle_hours": None,
                "conditions": [
                    {"field": "domain", "operator": "is", "value": ["globex.example"]},
                    {"field": "hours", "operator": "is", "value": ["closed"]},
                ],
                "actions": _ACTIONS,
                "position": 0,
                "is_active": True,
            },
            request_only=True,
        )
    ]
)
class RuleSerializer(serializers.ModelSerializer[Rule]):
    """What happens by itself: on an `event`, if all `conditions` hold, the `actions` are done."""

    event = serializers.CharField(max_length=40)
    idle_hours = serializers.IntegerField(
        required=False, allow_null=True, help_text="For conversation.idle: after so many hours without a change."
    )
    conditions = Conditions(required=False)
    actions = Actions()
    position = serializers.IntegerField(min_value=0, max_value=1_000_000, required=False, default=0)

    class Meta:
        model = Rule
        fields = ["id", "name", "event", "idle_hours", "conditions", "actions", "position", "is_active", "updated_at"]
        read_only_fields = ["updated_at"]

    def create(self, validated_data: Mapping[str, Any]) -> Rule:
        return self.update(Rule(), validated_data)

    def update(self, instance: Rule, validated_data: Mapping[str, Any]) -> Rule:
        try:
            return rules.save_rule(instance, validated_data, at=timezone.now())
        except rules.BadRule as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error


class RuleRunSerializer(serializers.ModelSerializer[RuleRun]):
    done = Actions(help_text="The actions done, or why they were not.")

    class Meta:
        model = RuleRun
        fields = ["id", "rule", "event", "conversation", "at", "state", "done"]
        read_only_fields = fields


class MatchSerializer(serializers.Serializer[Any]):
    """A conversation a rule would act on."""

    conversation = serializers.IntegerField(source="conversation.pk")
    subject = serializers.CharField(source="conversation.subject")
    customer = serializers.CharField(source="conversation.customer")
    event = serializers.IntegerField(source="event.pk", allow_null=True, default=None, help_text="Null: it is idle.")
    at = serializers.DateTimeField(help_text="When it would have been done, or since when it is idle.")
    actions = Actions(help_text="With their texts filled in.")


class DryRunSerializer(serializers.Serializer[Any]):
    looked_at = serializers.IntegerField(help_text="So many events or idle conversations were looked at.")
    next = serializers.CharField(allow_null=True, help_text="To be given as `before`; null at the end.")
    results = MatchSerializer(many=True, source="matches")


class WindowSerializer(serializers.Serializer[dict[str, Any]]):
    limit = serializers.IntegerField(min_value=1, max_value=200, required=False, default=50)
    before = serializers.CharField(max_length=60, required=False, default="", allow_blank=True)


class SharedSerializer(serializers.ModelSerializer[Any]):
    """`owner` null and `team` null means everybody's; without either given it becomes one's own."""

    owner = serializers.PrimaryKeyRelatedField(
        queryset=User.objects.filter(is_active=True), required=False, allow_null=True
    )
    team = serializers.PrimaryKeyRelatedField(queryset=Team.objects.all(), required=False, allow_null=True)
    position = serializers.IntegerField(min_value=0, max_value=1_000_000, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = agent_of(self.context["request"])
        if self.instance is None:
            if "owner" not in attrs and "team" not in attrs:
                attrs["owner"] = user
            owner, team = attrs.get("owner"), attrs.get("team")
        else:
            # Naming a team or everybody gives it away, naming oneself takes it back.
            if "team" in attrs and attrs["team"] is not None and "owner" not in attrs:
                attrs["owner"] = None
            if attrs.get("owner") is not None and "team" not in attrs:
                attrs["team"] = None
            owner, team = attrs.get("owner", self.instance.owner), attrs.get("team", self.instance.team)
        if owner is not None and team is not None:
            raise serializers.ValidationError({"team": [_("It is a person's or a team's.")]})
        model: type[Shared] = self.Meta.model
        if not kept.may_keep_for(user, owner.pk if owner else None, team.pk if team else None, model):
            raise serializers.ValidationError({"owner": [_("You keep things for yourself and your teams.")]})
        return attrs

    def save(self, **more: Any) -> Any:
        return super().save(updated_at=timezone.now(), **more)


_SHARED = ["id", "name", "owner", "team", "position", "updated_at"]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Macro", value={"name": "VIP", "team": None, "owner": None, "actions": _ACTIONS}, request_only=True
        )
    ]
)
class MacroSerializer(SharedSerializer):
    """Several changes and perhaps a reply in one step, applied by an agent."""

    actions = Actions()

    class Meta:
        model = Macro
        fields: ClassVar[list[str]] = [*_SHARED, "actions", "uses"]
        read_only_fields: ClassVar[list[str]] = ["uses", "updated_at"]

    def validate_actions(self, actions: Any) -> Any:
        try:
            return macros.cleaned({"actions": actions})["actions"]
        except steps.BadStep as error:
            raise serializers.ValidationError(str(error)) from error


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Canned reply",
            value={"name": "Greeting", "shortcut": "hello", "text": "Hello {{ customer.first_name|there }},"},
            request_only=True,
        )
    ]
)
class CannedReplySerializer(SharedSerializer):
    """A text to begin a reply with, called by `/shortcut`."""

    shortcut = serializers.RegexField(r"^[A-Za-z0-9_-]{1,40}\Z", max_length=40)
    text = serializers.CharField(max_length=MAX_TEXT, trim_whitespace=False)

    class Meta:
        model = CannedReply
        fields: ClassVar[list[str]] = [*_SHARED, "shortcut", "text", "uses"]
        read_only_fields: ClassVar[list[str]] = ["uses", "updated_at"]
        validators: ClassVar[list[Any]] = []

    def validate_text(self, text: str) -> str:
        try:
            return variables.check(text)
        except variables.UnknownVariable as error:
            known = ", ".join(variables.VARIABLES)
            words = _("Nothing can be filled in for %(strange)s. There are: %(known)s.")
            raise serializers.ValidationError(words % {"strange": error, "known": known}) from error

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        known = {name: getattr(self.instance, name, None) for name in ("shortcut", "owner", "team")}
        place = {**known, **{name: attrs[name] for name in known if name in attrs}}
        others = CannedReply.objects.filter(
            shortcut__iexact=place["shortcut"], owner=place["owner"], team=place["team"]
        )
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError({"shortcut": [_("Another reply is called by this word.")]})
        return attrs


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "View",
            value={"name": "VIP, open", "filters": {"status": ["new", "open"], "tag": ["vip"]}, "newest_first": False},
            request_only=True,
        )
    ]
)
class SavedViewSerializer(SharedSerializer):
    """A view of the inbox under a name."""

    filters = Filters()

    class Meta:
        model = SavedView
        fields: ClassVar[list[str]] = [*_SHARED, "filters", "newest_first"]
        read_only_fields: ClassVar[list[str]] = ["updated_at"]

    def validate_filters(self, given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise serializers.ValidationError(_("Give an object."))
        try:
            return filters.cleaned(given)
        except filters.BadFilter as error:
            raise serializers.ValidationError(str(error)) from error


class CustomFieldSerializer(serializers.ModelSerializer[CustomField]):
    """A fact a company wants on its conversations. The key stays: values are kept under it."""

    key = serializers.RegexField(
        r"^[a-z][a-z0-9_-]{0,39}\Z", max_length=40, validators=[UniqueValidator(CustomField.objects.all())]
    )
    kind = serializers.ChoiceField(CustomField.Kind.choices, required=False, default=CustomField.Kind.TEXT)
    choices = serializers.ListField(
        child=serializers.CharField(max_length=80), max_length=200, required=False, default=list
    )
    position = serializers.IntegerField(min_value=0, max_value=1_000_000, required=False)

    class Meta:
        model = CustomField
        fields = ["id", "key", "name", "kind", "choices", "is_required", "is_active", "position"]

    def validate_key(self, key: str) -> str:
        if self.instance is not None and self.instance.key != key:
            raise serializers.ValidationError(_("The key stays: values are kept under it."))
        return key

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = attrs.get("kind", getattr(self.instance, "kind", CustomField.Kind.TEXT))
        choices = attrs.get("choices", getattr(self.instance, "choices", []))
        if (kind == CustomField.Kind.CHOICE) != bool(choices):
            raise serializers.ValidationError({"choices": [_("A choice has choices, and nothing else has.")]})
        return attrs


class BlockedSenderSerializer(serializers.ModelSerializer[BlockedSender]):
    handle = serializers.CharField(max_length=320, help_text="An address, or @domain for all of a domain.")
    why = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")

    class Meta:
        model = BlockedSender
        fields = ["id", "handle", "why", "by", "at"]
        read_only_fields = ["by", "at"]

    def create(self, validated_data: Mapping[str, Any]) -> BlockedSender:
        user = agent_of(self.context["request"])
        try:
            return blocking.block(validated_data["handle"], user, validated_data["why"], at=timezone.now())
        except blocking.CannotBlock as error:
            raise serializers.ValidationError({"handle": [str(error)]}) from error
