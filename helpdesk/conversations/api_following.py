"""Who reads along: `/api/v1/conversations/{id}/followers/`."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.conversations import following
from helpdesk.conversations.incoming import MAX_FOLLOWERS
from helpdesk.conversations.serializers import CustomerRefSerializer
from helpdesk.customers.models import Customer
from helpdesk.customers.permissions import agent_of
from helpdesk.events.actors import Actor


@extend_schema_serializer(
    examples=[OpenApiExample("Two more", value={"emails": ["uma@umbrella.example", "gil@globex.example"]})]
)
class FollowersGivenSerializer(serializers.Serializer[dict[str, Any]]):
    emails = serializers.ListField(
        child=serializers.EmailField(max_length=320), allow_empty=False, max_length=MAX_FOLLOWERS
    )


class Followers(APIView):
    """The people in copy of every reply."""

    @extend_schema(responses={200: CustomerRefSerializer(many=True)})
    def get(self, request: Request, conversation_id: int) -> Response:
        return Response(_followers(conversation_id))

    @extend_schema(request=FollowersGivenSerializer, responses={200: CustomerRefSerializer(many=True)})
    def post(self, request: Request, conversation_id: int) -> Response:
        """Put these addresses in copy; the answer is everybody who is. Again, nothing changes."""
        given = FollowersGivenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        emails = dict.fromkeys(email.lower() for email in given.validated_data["emails"])
        actor = Actor.agent(agent_of(request))
        try:
            following.follow(conversation_id, list(emails), actor=actor, at=timezone.now())
        except following.TooManyFollowers as error:
            raise ValidationError({"emails": [str(error)]}) from error
        return Response(_followers(conversation_id))


class Follower(APIView):
    """One of them, by the customer's id."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, conversation_id: int, customer_id: int) -> Response:
        """Take them out of copy."""
        if not Customer.objects.filter(pk=customer_id, followed_conversations=conversation_id).exists():
            raise NotFound("Nobody of this number reads along.")
        actor = Actor.agent(agent_of(request))
        following.unfollow(conversation_id, [customer_id], actor=actor, at=timezone.now())
        return Response(status=204)


def _followers(conversation_id: int) -> list[dict[str, Any]]:
    rows = Customer.objects.filter(followed_conversations=conversation_id).order_by("pk")
    return [{"id": one.pk, "name": one.name, "email": one.email} for one in rows]
