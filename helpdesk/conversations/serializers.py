"""Conversations, messages and events as the API shows and takes them."""

from typing import Any, ClassVar

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from helpdesk.conversations import custom_fields
from helpdesk.conversations.models import Attachment, Message, Priority, Status, Tag
from helpdesk.customers.api_fields import IdOrName, Reference, matching, validated
from helpdesk.customers.models import Service, Team, User
from helpdesk.events.models import Event
from helpdesk.numbers import LARGEST_ID
from helpdesk.sla.models import Target

MAX_TEXT = 500_000
MAX_CUSTOM_FIELDS = 100
MAX_SUBJECT = 500
MAX_TAGS = 50
MAX_SERVICES = 50
_AGENTS = User.objects.filter(is_active=True)


class ClockSerializer(serializers.Serializer[dict[str, Any]]):
    target = serializers.ChoiceField(Target.choices)
    goal_minutes = serializers.FloatField()
    started_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    paused_at = serializers.DateTimeField(allow_null=True)
    met_at = serializers.DateTimeField(allow_null=True)
    breached_at = serializers.DateTimeField(allow_null=True)


class CustomerRefSerializer(serializers.Serializer[dict[str, Any]]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()


class OrganizationRefSerializer(serializers.Serializer[dict[str, Any]]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    plan = serializers.CharField(help_text="The plan's name.")


class ConversationSerializer(serializers.Serializer[dict[str, Any]]):
    """What `rows.shown` makes; rendered from there, described here."""

    id = serializers.IntegerField()
    number = serializers.IntegerField(help_text="What people call it: [#1042].")
    channel = serializers.CharField()
    subject = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    priority = serializers.ChoiceField(Priority.choices)
    team = serializers.IntegerField(allow_null=True)
    assignee = serializers.IntegerField(allow_null=True)
    customer = CustomerRefSerializer()
    organization = OrganizationRefSerializer(allow_null=True)
    services = serializers.ListField(child=serializers.CharField(), help_text="Their names.")
    tags = serializers.ListField(child=serializers.CharField())
    opened_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    snoozed_until = serializers.DateTimeField(allow_null=True)
    is_spam = serializers.BooleanField()
    custom = serializers.DictField(help_text="Values of custom fields by their keys.")
    minutes_spent = serializers.IntegerField()
    clocks = ClockSerializer(many=True, help_text="The newest one of each target.")
    incident = serializers.CharField(allow_null=True, help_text="The id of the incident that it belongs to.")
    url = serializers.URLField(help_text="The agents' page of it.")


class CustomerGivenSerializer(serializers.Serializer[dict[str, Any]]):
    email = serializers.EmailField(max_length=320)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


_CUSTOMER = CustomerGivenSerializer()


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer"},
            {
                "type": "object",
                "properties": {"email": {"type": "string"}, "name": {"type": "string"}},
                "required": ["email"],
            },
        ]
    }
)
class CustomerGiven(serializers.Field[Any, Any, Any, Any]):
    """A customer's id, or address and name of one who may be new."""

    def to_internal_value(self, data: object) -> object:
        if isinstance(data, int) and not isinstance(data, bool) and 0 < data <= LARGEST_ID:
            return data
        if isinstance(data, str):
            data = {"email": data}
        if not isinstance(data, dict):
            raise serializers.ValidationError('Give an id, or {"email": …, "name": …}.')
        return validated(_CUSTOMER, data)


class TagNames(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=80), max_length=MAX_TAGS, **options)


@extend_schema_field({"type": "array", "items": {"oneOf": [{"type": "integer"}, {"type": "string"}]}})
class ServicesGiven(serializers.ListField):
    """Services by id or name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=Reference(), max_length=MAX_SERVICES, **options)

    def to_internal_value(self, data: Any) -> Any:
        found = []
        for reference in super().to_internal_value(data):
            service = Service.objects.filter(matching(reference, "name")).first()
            if service is None:
                raise serializers.ValidationError(
                    _("There is no such service: %(name)s.") % {"name": str(reference)[:80]}
                )
            found.append(service)
        return found


class TextGiven(serializers.CharField):
    """What somebody says, kept as it is; only blanks are nothing to say."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_TEXT, trim_whitespace=False, **options)
        # It looks at every character in Python; BoundedJSONParser has refused lone surrogates already, and faster.
        self.validators = [v for v in self.validators if not isinstance(v, ProhibitSurrogateCharactersValidator)]

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not text.strip():
            self.fail("blank")
        return text


class NewConversationSerializer(serializers.Serializer[dict[str, Any]]):
    """A request to open; the same `client_id` again returns the first one."""

    kind = serializers.ChoiceField(
        ("inbound", "outbound"),
        required=False,
        default="inbound",
        help_text="What the customer asks for, or, outbound, what we write to them first, by mail.",
    )
    subject = serializers.CharField(max_length=MAX_SUBJECT, required=False, allow_blank=True, default="")
    text = TextGiven()
    customer = CustomerGiven()
    priority = serializers.ChoiceField(Priority.choices, required=False, default=Priority.NORMAL)
    team = IdOrName(name_field="name", queryset=Team.objects.all(), required=False, allow_null=True, default=None)
    services = ServicesGiven(required=False, default=list)
    tags = TagNames(required=False, default=list)
    channel = serializers.ChoiceField(tuple(settings.SUPPORT_CHANNELS), required=False, default="api")
    client_id = serializers.UUIDField(required=False, allow_null=True, default=None)


@extend_schema_field({"type": "object", "additionalProperties": True})
class CustomGiven(serializers.Field[Any, Any, Any, Any]):
    """Values of custom fields by key, each as its field wants it."""

    def to_internal_value(self, data: object) -> dict[str, Any]:
        if not isinstance(data, dict) or len(data) > MAX_CUSTOM_FIELDS:
            raise serializers.ValidationError(
                _("Give an object of at most %(most)s values.") % {"most": MAX_CUSTOM_FIELDS}
            )
        try:
            return custom_fields.checked(data)
        except custom_fields.Unfit as error:
            raise serializers.ValidationError(str(error)) from error


class ConversationChangesSerializer(serializers.Serializer[dict[str, Any]]):
    status = serializers.ChoiceField(Status.choices, required=False)
    priority = serializers.ChoiceField(Priority.choices, required=False)
    team = IdOrName(name_field="name", queryset=Team.objects.all(), required=False, allow_null=True)
    assignee = IdOrName(name_field="email", queryset=_AGENTS, required=False, allow_null=True)
    subject = serializers.CharField(max_length=MAX_SUBJECT, required=False, allow_blank=True)
    tags = TagNames(required=False)
    services = ServicesGiven(required=False)
    snoozed_until = serializers.DateTimeField(required=False, allow_null=True, help_text="Null wakes it.")
    is_spam = serializers.BooleanField(required=False)
    custom = CustomGiven(
        required=False, help_text="Values by the keys of custom fields; null empties one, what is not named stays."
    )


class AuthorSerializer(serializers.Serializer[dict[str, Any]]):
    kind = serializers.ChoiceField(Message.Author.choices)
    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    url = serializers.SerializerMethodField()

    class Meta:
        model = Attachment
        fields = ["id", "name", "content_type", "size", "sha256", "url"]

    def get_url(self, attachment: Attachment) -> str:
        return f"{settings.PUBLIC_URL}{reverse('attachment_content', args=[attachment.pk])}"


class DeliverySerializer(serializers.Serializer[dict[str, Any]]):
    state = serializers.ChoiceField(["pending", "sent", "delivered", "failed", "collected"])
    attempts = serializers.IntegerField()
    error = serializers.CharField()


class MessageSerializer(serializers.ModelSerializer[Message]):
    author = serializers.SerializerMethodField()
    attachments = AttachmentSerializer(many=True)
    delivery = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = [
            "id", "kind", "author", "text", "html", "full_text", "at", "via", "external_id", "attachments", "delivery",
        ]  # fmt: skip

    @extend_schema_field(AuthorSerializer)
    def get_author(self, message: Message) -> dict[str, Any]:
        person = message.agent or message.customer
        return {"kind": message.author_kind, "id": person.pk if person else None, "name": str(person or "")}

    @extend_schema_field(DeliverySerializer(allow_null=True))
    def get_delivery(self, message: Message) -> dict[str, Any] | None:
        if message.kind != Message.Kind.OUTBOUND:
            return None
        # To the outside what is being sent is still pending.
        state = Message.Delivery.PENDING if message.delivery == Message.Delivery.SENDING else message.delivery
        return {"state": state, "attempts": message.attempts, "error": message.error}


class NewMessageSerializer(serializers.Serializer[dict[str, Any]]):
    """An answer to the customer, or a note for the team; the same `client_id` again returns the first one."""

    kind = serializers.ChoiceField([c for c in Message.Kind.choices if c[0] != Message.Kind.INBOUND])
    text = TextGiven()
    client_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    status = serializers.ChoiceField(
        Status.choices, required=False, default=Status.PENDING, help_text="The conversation's status after an answer."
    )


class ActorSerializer(serializers.Serializer[dict[str, Any]]):
    kind = serializers.ChoiceField(Event.Actor.choices)
    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()


class EventSerializer(serializers.ModelSerializer[Event]):
    actor = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields = ["seq", "public_seq", "kind", "at", "actor", "data"]

    @extend_schema_field(ActorSerializer)
    def get_actor(self, event: Event) -> dict[str, Any]:
        return {"kind": event.actor_kind, "id": event.actor_id, "name": str(event.actor or "")}


class TagSerializer(serializers.ModelSerializer[Tag]):
    class Meta:
        model = Tag
        fields = ["id", "name"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}

    def validate_name(self, name: str) -> str:
        lower = name.strip().lower()
        others = Tag.objects.filter(name=lower)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError(_("There is a tag of this name."))
        return lower
