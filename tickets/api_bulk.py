"""Many conversations changed at once: `/api/v1/bulk-changes/`, with a report of what became of each."""

from typing import Any
from uuid import uuid4

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.conversations.api import Conflict
from helpdesk.conversations.handling import Changes
from helpdesk.conversations.models import Status
from helpdesk.conversations.serializers import ConversationChangesSerializer, TagNames
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.api_fields import ID
from helpdesk.customers.permissions import agent_of
from helpdesk.numbers import LARGEST_ID
from tickets.desk import bulk, kept, variables
from tickets.desk.bulk_models import BulkChange, BulkItem
from tickets.desk.models import Macro
from tickets.forms import AFTER_REPLY, MAX_TEXT


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Answered and resolved",
            value={
                "conversations": [41, 42],
                "add_tags": ["outage-c01"],
                "reply": "Hello {{ customer.first_name|there }},\n\nc01 is back.",
                "then": "resolved",
            },
            request_only=True,
        )
    ]
)
class BulkGivenSerializer(ConversationChangesSerializer):
    """What to do with each; what is not given stays. A `reply` goes out first, and its status is `then`."""

    conversations = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID), allow_empty=False, max_length=bulk.MOST
    )
    client_id = serializers.UUIDField(
        required=False, help_text="The same one again does the rest of what was begun, and nothing twice."
    )
    add_tags, remove_tags = TagNames(required=False, default=list), TagNames(required=False, default=list)
    reply = serializers.CharField(
        max_length=MAX_TEXT, required=False, allow_blank=True, trim_whitespace=False, default=""
    )
    then = serializers.ChoiceField(
        [(status, status.label) for status in AFTER_REPLY], required=False, default=Status.PENDING
    )
    macro = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="Applied to each, before everything else."
    )
    # These are one conversation's own.
    subject = tags = services = custom = None  # type: ignore[assignment]

    def validate_reply(self, text: str) -> str:
        try:
            return variables.check(text)
        except variables.UnknownVariable as error:
            known = ", ".join(variables.VARIABLES)
            raise serializers.ValidationError(f"There is no {error}; there are {known}.") from error

    def validate_macro(self, number: int) -> Macro:
        found = kept.seen_by(agent_of(self.context["request"]), Macro).filter(pk=number).first()
        if found is None:
            raise serializers.ValidationError("There is no such macro.")
        return found

    def asked(self) -> bulk.Asked:
        """Call after is_valid()."""
        said = self.validated_data
        changes = Changes(**{name: said[name] for name in Changes.__dataclass_fields__ if name in said})
        add, remove = (tuple(tag.strip().lower() for tag in said[name]) for name in ("add_tags", "remove_tags"))
        return bulk.Asked(changes, add, remove, said["reply"], said["then"], said.get("macro"))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        asks = {"add_tags", "remove_tags", "reply", "macro", *Changes.__dataclass_fields__}
        if not any(attrs.get(name, "") not in ("", []) for name in asks):
            raise serializers.ValidationError("Say what to change.")
        return attrs


class BulkItemSerializer(serializers.ModelSerializer[BulkItem]):
    conversation = serializers.IntegerField(source="number")
    before = serializers.DictField(help_text="Only what was made different.")
    after = serializers.DictField()
    delivery = serializers.CharField(
        source="message.delivery", default=None, allow_null=True, help_text="How far the reply has come."
    )

    class Meta:
        model = BulkItem
        fields = ["conversation", "outcome", "why", "message", "delivery", "before", "after", "undone"]
        read_only_fields = fields


class BulkChangeSerializer(serializers.ModelSerializer[BulkChange]):
    asked = serializers.DictField(help_text="What was asked for, in codes and names.")

    class Meta:
        model = BulkChange
        fields = ["id", "client_id", "at", "asked", "reply", "undone_at"]
        read_only_fields = fields


class BulkReportSerializer(BulkChangeSerializer):
    """What became of each. A conversation that moved out of one's sight since is told by its number and outcome."""

    summary = serializers.DictField(child=serializers.IntegerField(), help_text="How many of each outcome.")
    may_undo = serializers.BooleanField()
    items = BulkItemSerializer(many=True)

    class Meta(BulkChangeSerializer.Meta):
        fields = [*BulkChangeSerializer.Meta.fields, "summary", "may_undo", "items"]
        read_only_fields = fields


class BulkChangeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[BulkChange]):
    """What one did to many at once, newest first: each in its own transaction, each with its own outcome."""

    queryset = BulkChange.objects.all()
    serializer_class = BulkChangeSerializer
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[BulkChange]:
        return super().get_queryset().filter(user=agent_of(self.request))

    @extend_schema(request=BulkGivenSerializer, responses={201: BulkReportSerializer})
    def create(self, request: Request) -> Response:
        """Do it; the answer is the report. One that is refused stops none of the others."""
        given = BulkGivenSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        said = given.validated_data
        client_id = said.get("client_id") or uuid4()
        done = bulk.run(agent_of(request), said["conversations"], given.asked(), client_id=client_id, at=timezone.now())
        return Response(self._report(done), status=201)

    @extend_schema(responses={200: BulkReportSerializer})
    def retrieve(self, request: Request, pk: str) -> Response:
        """The report: what became of each, and how far each reply has come."""
        return Response(self._report(self.get_object()))

    @extend_schema(request=None, responses={200: BulkReportSerializer})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Put back what nobody has changed since; what was sent stays sent. 409 ten minutes later."""
        found = self.get_object()
        try:
            bulk.undo(found, agent_of(request), at=timezone.now())
        except bulk.TooLate as error:
            raise Conflict("It is too late, or was taken back already.") from error
        return Response(self._report(self.get_object()))

    def _report(self, done: BulkChange) -> dict[str, Any]:
        items = list(done.items.select_related("message").defer("message__search").order_by("pk"))
        numbers = [item.number for item in items]
        seen = set(visible_conversations(agent_of(self.request)).filter(pk__in=numbers).values_list("pk", flat=True))
        for item in items:
            if item.number not in seen:
                item.message, item.before, item.after = None, {}, {}
        return {
            **BulkChangeSerializer(done).data,
            "summary": bulk.summary(done),
            "may_undo": bulk.may_undo(done, timezone.now()),
            "items": BulkItemSerializer(items, many=True).data,
        }
