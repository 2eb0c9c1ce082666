"""How one is told of what happens: `/api/v1/notification-choice/`."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.customers.models import User
from helpdesk.customers.permissions import agent_of
from tickets.desk import notices
from tickets.desk.models import NotificationChoice

_PLAIN = ("quiet_from", "quiet_until", "hides_text", "volume", "rings_for_chats", "rings_for_urgent")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Quiet nights",
            value={"ways": {"mention": ["badge", "toast", "mail"]}, "quiet_from": "20:00", "quiet_until": "08:00"},
            request_only=True,
        )
    ]
)
class NotificationChoiceSerializer(serializers.Serializer[dict[str, Any]]):
    """`ways` by kind of event; a kind that is not named stays as it is."""

    ways = serializers.DictField(
        child=serializers.ListField(child=serializers.ChoiceField(list(notices.WAYS)), max_length=len(notices.WAYS)),
        required=False,
        help_text=f"Kinds: {', '.join(notices.KINDS)}. Ways: {', '.join(notices.WAYS)}.",
    )
    quiet_from = serializers.TimeField(required=False, allow_null=True, help_text="In the agent's own time zone.")
    quiet_until = serializers.TimeField(required=False, allow_null=True)
    hides_text = serializers.BooleanField(required=False, help_text="Say that something happened, not what.")
    volume = serializers.IntegerField(required=False, min_value=0, max_value=100, help_text="Of every sound.")
    rings_for_chats = serializers.BooleanField(required=False, help_text="A live chat rings until somebody takes it.")
    rings_for_urgent = serializers.BooleanField(
        required=False, help_text="What is new and urgent rings until somebody takes it."
    )

    def validate_ways(self, ways: dict[str, list[str]]) -> dict[str, list[str]]:
        unknown = set(ways) - set(notices.KINDS)
        if unknown:
            raise serializers.ValidationError(f"There are {', '.join(notices.KINDS)}.")
        return ways


class OwnNotificationChoice(APIView):
    """How this agent is told: by which ways of what, and when not."""

    viewers_send = True  # their own

    @extend_schema(responses={200: NotificationChoiceSerializer})
    def get(self, request: Request) -> Response:
        return Response(_shown(agent_of(request)))

    @extend_schema(request=NotificationChoiceSerializer, responses={200: NotificationChoiceSerializer})
    def patch(self, request: Request) -> Response:
        given = NotificationChoiceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user, said = agent_of(request), given.validated_data
        now_is = _shown(user)
        wanted = {**now_is, **said, "ways": {**now_is["ways"], **said.get("ways", {})}}
        try:
            notices.keep_choice(user, **wanted)
        except notices.HalfQuiet as error:
            raise serializers.ValidationError({"quiet_until": [str(error)]}) from error
        return Response(_shown(User.objects.get(pk=user.pk)))


def _shown(user: User) -> dict[str, Any]:
    choice = notices.choice(user, NotificationChoice.objects.filter(user=user).first())
    return {
        "ways": {kind: [way for way in notices.WAYS if way in choice.ways[kind]] for kind in notices.KINDS},
        **{name: getattr(choice, name) for name in _PLAIN},
    }
