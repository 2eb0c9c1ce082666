"""`/api/v1/incidents/{id}/conversations/`: whom an incident has made write to us, and what they were told."""

from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.conversations.models import Message, Status
from helpdesk.conversations.rows import desk_url
from helpdesk.customers.permissions import agent_of
from helpdesk.numbers import LARGEST_ID
from status import linking
from status.linking import Linked
from status.models import Incident, IncidentConversation

MOST = 500


class LinkedConversationSerializer(serializers.Serializer[Linked]):
    """A conversation of an incident, and how far it has been told."""

    id = serializers.IntegerField()
    number = serializers.IntegerField(source="id")
    subject = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    channel = serializers.CharField()
    customer = serializers.CharField(help_text="The name, else the address.")
    how = serializers.ChoiceField(IncidentConversation.How.choices, help_text="How it came to be linked.")
    linked_at = serializers.DateTimeField()
    still_broken_at = serializers.DateTimeField(
        allow_null=True, help_text="When the customer wrote again after it was resolved."
    )
    told = serializers.IntegerField(help_text="How many updates it was told of.")
    told_at = serializers.DateTimeField(allow_null=True)
    delivery = serializers.ChoiceField(
        [("", ""), *Message.Delivery.choices], help_text="Of the message about the newest update."
    )
    error = serializers.CharField(help_text="Why it was not told, or its message not delivered.")
    url = serializers.SerializerMethodField(help_text="The agents' page of it.")

    def get_url(self, one: Linked) -> str:
        return desk_url(one.id)


class LinkConversationsSerializer(serializers.Serializer[dict[str, Any]]):
    conversations = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        allow_empty=False,
        max_length=MOST,
        help_text="Numbers of conversations.",
    )
    tells = serializers.BooleanField(default=True, help_text="Their customers are told now how things stand.")


class _PageSerializer(serializers.Serializer[dict[str, Any]]):
    after = serializers.IntegerField(min_value=0, max_value=LARGEST_ID, default=0)
    page_size = serializers.IntegerField(min_value=1, max_value=200, default=50)
    still_broken = serializers.BooleanField(default=False)


class IncidentConversations(APIView):
    """The conversations of an incident, by number, those that this agent may see."""

    kind: str = Incident.Kind.INCIDENT

    @extend_schema(
        parameters=[
            OpenApiParameter("after", int),
            OpenApiParameter("page_size", int),
            OpenApiParameter("still_broken", bool, description="Only those who say that it is not over."),
        ],
        responses={
            200: inline_serializer(
                "LinkedConversations",
                {
                    "next": serializers.URLField(allow_null=True),
                    "previous": serializers.URLField(allow_null=True),
                    "results": LinkedConversationSerializer(many=True),
                },
            )
        },
    )
    def get(self, request: Request, public_id: str) -> Response:
        given = _PageSerializer(data={name: request.query_params[name] for name in request.query_params})
        given.is_valid(raise_exception=True)
        size, is_narrow = given.validated_data["page_size"], given.validated_data["still_broken"]
        found = linking.linked(
            _incident(self.kind, public_id),
            agent_of(request),
            after=given.validated_data["after"],
            limit=size + 1,
            only_still_broken=is_narrow,
        )
        following = None
        if len(found) > size:
            query = {"after": found[size - 1].id, "page_size": size} | ({"still_broken": "true"} if is_narrow else {})
            following = request.build_absolute_uri(f"{request.path}?{urlencode(query)}")
        shown = [LinkedConversationSerializer(one).data for one in found[:size]]
        return Response({"next": following, "previous": None, "results": shown})

    @extend_schema(
        request=LinkConversationsSerializer,
        responses={
            200: inline_serializer("NewlyLinked", {"linked": serializers.ListField(child=serializers.IntegerField())})
        },
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Link conversations; `linked` are those that were not yet. Spam, merged ones and what this agent does not see
        is left out.
        """
        given = LinkConversationsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        linked = linking.link(
            _incident(self.kind, public_id),
            given.validated_data["conversations"],
            how=IncidentConversation.How.BY_HAND,
            user=agent_of(request),
            at=timezone.now(),
            tells=given.validated_data["tells"],
        )
        return Response({"linked": linked})


class IncidentConversationLink(APIView):
    """One conversation of an incident."""

    kind: str = Incident.Kind.INCIDENT

    @extend_schema(responses={204: None})
    def delete(self, request: Request, public_id: str, conversation_id: int) -> Response:
        """It is about something else: it is told nothing more of the incident."""
        links = IncidentConversation.objects.filter(incident=_incident(self.kind, public_id))
        if not links.filter(conversation=conversation_id).exists():
            raise NotFound("It is not linked to this incident.")
        linking.unlink(conversation_id, agent_of(request), at=timezone.now())
        return Response(status=204)


def _incident(kind: str, public_id: str) -> Incident:
    found = Incident.objects.filter(kind=kind, public_id=public_id).first()
    if found is None:
        raise NotFound("There is no such incident.")
    return found
