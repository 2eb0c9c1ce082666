"""`/api/v1/escalation-policies/` and `/api/v1/notification-rules/`: whom a page calls, and how."""

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers, viewsets
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.validators import UniqueValidator

from helpdesk.customers.api_configured import Configured
from helpdesk.customers.api_fields import ID, IdOrName, WholeMixin
from helpdesk.customers.api_filters import IdFilter
from helpdesk.customers.models import User
from helpdesk.customers.permissions import IsOwnerOrAdmin, may_change_rules_of, may_configure
from helpdesk.oncall import escalation_editing, notification_rules
from helpdesk.oncall.models import EscalationPolicy, EscalationStep, NotificationRule, Schedule, Urgency

MAX_STEPS = 20
LONGEST_DELAY = 24 * 3600
MOST_REPEATS = 1_000
_ACTIVE = User.objects.filter(is_active=True)


class StepSerializer(WholeMixin, serializers.ModelSerializer[EscalationStep]):
    """Calls whoever is on call in `schedule`, or one `user`; then waits."""

    schedule = IdOrName(name_field="name", queryset=Schedule.objects.all(), required=False, allow_null=True)
    user = IdOrName(name_field="email", queryset=_ACTIVE, required=False, allow_null=True)
    delay_seconds = serializers.IntegerField(min_value=60, max_value=LONGEST_DELAY, required=False, default=300)

    class Meta:
        model = EscalationStep
        fields = ["position", "schedule", "user", "delay_seconds"]
        read_only_fields = ["position"]
        validators: ClassVar[list[Any]] = []  # steps come as a list, in the order in which they are called

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs.get("schedule") is None) == (attrs.get("user") is None):
            raise serializers.ValidationError(_("Name either a schedule or a user."))
        return attrs


class EscalationPolicySerializer(serializers.ModelSerializer[EscalationPolicy]):
    """`steps` written replace those that were; open pages keep theirs. `repeats` null means for ever."""

    name = serializers.CharField(max_length=80, validators=[UniqueValidator(EscalationPolicy.objects.all())])
    repeats = serializers.IntegerField(min_value=0, max_value=MOST_REPEATS, required=False, allow_null=True)
    is_default = serializers.BooleanField(required=False)
    steps = StepSerializer(many=True)

    class Meta:
        model = EscalationPolicy
        fields = ["id", "name", "repeats", "is_default", "steps"]

    def validate_steps(self, steps: list[dict[str, Any]]) -> list[escalation_editing.StepGiven]:
        if len(steps) > MAX_STEPS:
            raise serializers.ValidationError(
                _("An escalation policy has at most %(most)s steps.") % {"most": MAX_STEPS}
            )
        return [
            escalation_editing.StepGiven(step.get("schedule"), step.get("user"), step["delay_seconds"])
            for step in steps
        ]

    def create(self, validated_data: dict[str, Any]) -> EscalationPolicy:
        return self._save(EscalationPolicy(), validated_data)

    def update(self, instance: EscalationPolicy, validated_data: dict[str, Any]) -> EscalationPolicy:
        return self._save(instance, validated_data)

    def _save(self, policy: EscalationPolicy, given: dict[str, Any]) -> EscalationPolicy:
        known = {"name": policy.name, "repeats": policy.repeats, "is_default": policy.is_default}
        try:
            return escalation_editing.save_escalation_policy(policy, **{**known, **given})
        except escalation_editing.NobodyToCall as error:
            raise serializers.ValidationError({"steps": [str(error)]}) from error
        except escalation_editing.LastDefault as error:
            raise serializers.ValidationError({"is_default": [str(error)]}) from error


class EscalationPolicyViewSet(Configured):
    """Whom a page calls, step by step, until somebody acknowledges."""

    queryset = EscalationPolicy.objects.prefetch_related("steps")
    serializer_class = EscalationPolicySerializer

    def remove(self, instance: EscalationPolicy) -> None:
        try:
            escalation_editing.remove_escalation_policy(instance)
        except escalation_editing.LastDefault as error:
            raise ValidationError(str(error)) from error


class NotificationRuleSerializer(serializers.ModelSerializer[NotificationRule]):
    """Without `user` it is one's own, without `to` the person's e-mail address or the channel's usual place."""

    user = IdOrName(name_field="email", queryset=_ACTIVE, required=False)
    urgency = serializers.ChoiceField(Urgency.choices)
    channel = serializers.CharField(max_length=20, help_text="email, slack or pagerduty, where it is connected.")
    to = serializers.CharField(
        max_length=320,
        required=False,
        allow_blank=True,
        help_text="An e-mail address, a Slack channel's or member's id, the alias of a PagerDuty key.",
    )
    delay_seconds = serializers.IntegerField(min_value=0, max_value=LONGEST_DELAY, required=False, default=0)
    quiet_from = serializers.TimeField(format="%H:%M", required=False, allow_null=True)
    quiet_until = serializers.TimeField(format="%H:%M", required=False, allow_null=True)

    class Meta:
        model = NotificationRule
        fields = ["id", "user", "urgency", "channel", "to", "delay_seconds", "quiet_from", "quiet_until"]
        validators: ClassVar[list[Any]] = []  # whether there is such a rule is decided on the whole of it

    def create(self, validated_data: dict[str, Any]) -> NotificationRule:
        given = {"user": self.context["request"].user, **validated_data}
        return self._save(NotificationRule(), given)

    def update(self, instance: NotificationRule, validated_data: dict[str, Any]) -> NotificationRule:
        return self._save(instance, validated_data)

    def _save(self, rule: NotificationRule, given: dict[str, Any]) -> NotificationRule:
        if not may_change_rules_of(self.context["request"].user, given.get("user") or rule.user):
            raise PermissionDenied("How somebody else is called is an admin's to say.")
        try:
            return notification_rules.save_rule(rule, given)
        except notification_rules.SenselessRule as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error


class NotificationRuleFilters(django_filters.FilterSet):  # type: ignore[misc]
    user = IdFilter()
    urgency = django_filters.ChoiceFilter(choices=Urgency.choices)


class NotificationRuleViewSet(viewsets.ModelViewSet[NotificationRule]):
    """How a person wants to be called, for each urgency. Agents have their own rules, admins see and change all.

    Who has no rule for an urgency is written to by e-mail, at once.
    """

    queryset = NotificationRule.objects.select_related("user")
    serializer_class = NotificationRuleSerializer
    filterset_class = NotificationRuleFilters
    permission_classes = (IsOwnerOrAdmin,)
    http_method_names = ["get", "head", "options", "post", "patch", "delete"]
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[NotificationRule]:
        rules = super().get_queryset()
        user = self.request.user
        return rules if may_configure(user) else rules.filter(user=user.pk)
