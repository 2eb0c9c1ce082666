"""`/api/v1/chat-agents/`: who takes chats, how many, and what about."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from chat import agents, profiles
from chat.agents import LONGEST_SKILL, MOST_CAPACITY, MOST_SKILLS
from chat.models import Chat, ChatAgent
from helpdesk.customers.api_fields import ID
from helpdesk.customers.models import User
from helpdesk.customers.pagination import KeysetPagination
from helpdesk.customers.permissions import SAFE, is_agent, may_change_rules_of, may_work


class IsOwnOrAdmins(BasePermission):
    """Agents read all; each changes their own, admins everybody's. Viewers do not chat."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return is_agent(request.user) if request.method in SAFE else may_work(request.user)

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        return request.method in SAFE or may_change_rules_of(request.user, obj.user)


class ChatAgentSerializer(serializers.ModelSerializer[ChatAgent]):
    """`state` of another agent is theirs to say: even an admin can only send them away."""

    id = serializers.IntegerField(source="user_id", read_only=True)
    name = serializers.CharField(source="user.name", read_only=True)
    chats = serializers.SerializerMethodField(help_text="How many they have now.")
    capacity = serializers.IntegerField(min_value=1, max_value=MOST_CAPACITY, required=False)
    skills = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_SKILL), max_length=MOST_SKILLS, required=False
    )

    class Meta:
        model = ChatAgent
        fields = [
            *("id", "name", "state", "is_auto_away", "capacity", "chats", "skills", "is_shown", "public_name"),
            *("enter_sends", "active_at"),
        ]
        read_only_fields = ["is_auto_away", "active_at"]

    @extend_schema_field(serializers.IntegerField())
    def get_chats(self, agent: ChatAgent) -> int:
        counted: int | None = getattr(agent, "counted", None)
        if counted is not None:
            return counted
        return Chat.objects.filter(state=Chat.State.ACTIVE, conversation__assignee=agent.pk).count()

    def validate_skills(self, given: list[str]) -> list[str]:
        return profiles.skills_of(given)

    def update(self, instance: ChatAgent, validated_data: Mapping[str, Any]) -> ChatAgent:
        values = dict(validated_data)
        state = values.pop("state", None)
        if values:
            profiles.save(instance, values)
        if state is not None and state != instance.state:
            if state == ChatAgent.State.AVAILABLE and self.context["request"].user != instance.user:
                raise PermissionDenied("Nobody is available by somebody else's word.")
            agents.choose(instance.user, state, at=timezone.now())
            instance.refresh_from_db()
        return instance


class ByAgent(KeysetPagination):
    ordering = "user_id"


class ChatAgentViewSet(
    mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[ChatAgent]
):
    """Agents as chat partners: available or away, how many chats at once, skills, and how customers see them.

    An agent is among them once they have opened the desk.
    """

    queryset = (
        ChatAgent.objects.filter(user__is_active=True)
        .exclude(user__role=User.Role.VIEWER)
        .select_related("user")
        .annotate(counted=Count("user__conversations", filter=Q(user__conversations__chat__state=Chat.State.ACTIVE)))
    )
    serializer_class = ChatAgentSerializer
    permission_classes = (IsOwnOrAdmins,)
    pagination_class = ByAgent
    http_method_names = ["get", "patch", "head", "options"]
    lookup_value_regex = ID
