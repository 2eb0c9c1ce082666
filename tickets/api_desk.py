"""`/api/v1/`: rules, macros, canned replies, views, custom fields, blocked senders."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from helpdesk.conversations.api import Conflict, one
from helpdesk.conversations.models import Conversation, CustomField
from helpdesk.conversations.serializers import ConversationSerializer
from helpdesk.customers.api_configured import Configured
from helpdesk.customers.api_fields import ID
from helpdesk.customers.permissions import IsAgent, agent_of
from helpdesk.numbers import LARGEST_ID
from tickets.desk import blocking, dry_runs, kept, macros, rules, steps
from tickets.desk.models import BlockedSender, CannedReply, Macro, Rule, RuleRun, SavedView
from tickets.desk.settings_serializers import (
    BlockedSenderSerializer,
    CannedReplySerializer,
    CustomFieldSerializer,
    DryRunSerializer,
    MacroSerializer,
    RuleRunSerializer,
    RuleSerializer,
    SavedViewSerializer,
    WindowSerializer,
)


class RuleViewSet(Configured):
    """Automation: when an event happens and the conditions hold, the actions are done by themselves."""

    queryset = Rule.objects.all()
    serializer_class = RuleSerializer

    @extend_schema(parameters=[WindowSerializer], responses={200: DryRunSerializer}, filters=False)
    @action(detail=True, methods=["get"], url_path="dry-run", pagination_class=None)
    def dry_run(self, request: Request, pk: str) -> Response:
        """What the rule would do, over what happened last; nothing is changed."""
        return _dry_run(self.get_object(), request)

    @extend_schema(request=RuleSerializer, parameters=[WindowSerializer], responses={200: DryRunSerializer})
    @action(detail=False, methods=["post"], url_path="dry-run", pagination_class=None)
    def dry_run_unsaved(self, request: Request) -> Response:
        """The same for a rule that is not saved yet."""
        given = RuleSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        try:
            rule = rules.checked(Rule(**given.validated_data))
        except rules.BadRule as error:
            raise ValidationError({error.field: [str(error)]}) from error
        return _dry_run(rule, request)

    @extend_schema(responses={200: RuleRunSerializer(many=True)}, filters=False)
    @action(detail=True, methods=["get"])
    def runs(self, request: Request, pk: str) -> Response:
        """What the rule did, newest first, and what it did not do and why."""
        rows = self.paginate_queryset(RuleRun.objects.filter(rule=self.get_object())) or []
        return self.get_paginated_response(RuleRunSerializer(rows, many=True).data)


def _dry_run(rule: Rule, request: Request) -> Response:
    given = WindowSerializer(data={name: request.query_params[name] for name in request.query_params})
    given.is_valid(raise_exception=True)
    window = given.validated_data
    try:
        found = dry_runs.dry_run(rule, agent_of(request), window["limit"], timezone.now(), window["before"])
    except dry_runs.BadCursor as error:
        raise ValidationError({"before": ["This is no place that a dry run gave out."]}) from error
    return Response(DryRunSerializer(found).data)


class KeptViewSet(Configured):
    """Agents have their own, members their team's, admins everybody's."""

    permission_classes = (IsAgent,)

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(kept.seen(agent_of(self.request))).select_related("owner", "team")

    def check_object_permissions(self, request: Request, obj: Any) -> None:
        super().check_object_permissions(request, obj)
        if self.action in ("partial_update", "destroy") and not kept.may_change(agent_of(request), obj):
            raise PermissionDenied(_("This is kept by somebody else, or for everybody."))


class MacroViewSet(KeptViewSet):
    """Several changes and perhaps a reply in one step."""

    queryset = Macro.objects.all()
    serializer_class = MacroSerializer


class CannedReplyViewSet(KeptViewSet):
    """Texts to begin a reply with."""

    queryset = CannedReply.objects.all()
    serializer_class = CannedReplySerializer


class SavedViewViewSet(KeptViewSet):
    """Views of the inbox. Viewers keep their own."""

    viewers_send = True
    queryset = SavedView.objects.all()
    serializer_class = SavedViewSerializer


class CustomFieldViewSet(Configured):
    """Facts a company wants on its conversations."""

    queryset = CustomField.objects.all()
    serializer_class = CustomFieldSerializer


class BlockedSenderViewSet(
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    viewsets.GenericViewSet[BlockedSender],
):
    """Whoever writes from these addresses and domains is not heard. Agents block and unblock."""

    queryset = BlockedSender.objects.all()
    serializer_class = BlockedSenderSerializer
    lookup_value_regex = ID

    @transaction.atomic
    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.save()

    def perform_destroy(self, instance: BlockedSender) -> None:
        blocking.unblock(instance, agent_of(self.request), at=timezone.now())


class MacroGivenSerializer(serializers.Serializer[dict[str, int]]):
    macro = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)


class ApplyMacro(APIView):
    """Apply a macro to this conversation: all of it or, where something cannot be done, nothing (409)."""

    @extend_schema(request=MacroGivenSerializer, responses={200: ConversationSerializer})
    def post(self, request: Request, conversation_id: int) -> Response:
        given = MacroGivenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = agent_of(request)
        macro = kept.seen_by(user, Macro).filter(pk=given.validated_data["macro"]).first()
        try:
            if macro is None:
                raise ValidationError({"macro": ["There is no such macro."]})
            macros.apply(macro, conversation_id, user, at=timezone.now())
        except Conversation.DoesNotExist as error:
            raise NotFound("There is no such conversation.") from error
        except steps.CannotDo as error:
            raise Conflict(str(error)) from error
        return Response(one(conversation_id))
