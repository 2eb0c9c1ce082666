"""Steps that take conversations apart and tie them together: splitting, and links."""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.conversations import linking, merging, splitting
from helpdesk.conversations.api import one
from helpdesk.conversations.api_permissions import must_see
from helpdesk.conversations.models import Conversation, ConversationLink, Status
from helpdesk.conversations.rows import desk_url
from helpdesk.conversations.serializers import MAX_SUBJECT, ConversationSerializer
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import User
from helpdesk.customers.permissions import agent_of
from helpdesk.numbers import LARGEST_ID

_SHOWN = {
    ConversationLink.Kind.RELATED.value: ("related", "related"),
    ConversationLink.Kind.PARENT.value: ("parent", "child"),
    ConversationLink.Kind.SPLIT.value: ("split_from", "split_into"),
}
"""What the first one of a link is to the second, and the second to the first."""


class SplitSerializer(serializers.Serializer[dict[str, Any]]):
    messages = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        allow_empty=False,
        max_length=splitting.MAX_MOVED,
        help_text="Ids of messages of this conversation; something said must stay.",
    )
    subject = serializers.CharField(
        max_length=MAX_SUBJECT, required=False, allow_blank=True, default="", help_text="Without one: the old one's."
    )


class Split(APIView):
    """Move messages into a new conversation of the same customer; the answer is the new one."""

    @extend_schema(request=SplitSerializer, responses={201: ConversationSerializer})
    def post(self, request: Request, conversation_id: int) -> Response:
        given = SplitSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        chosen, subject = given.validated_data["messages"], given.validated_data["subject"]
        try:
            new = splitting.split(conversation_id, chosen, agent_of(request), at=timezone.now(), subject=subject)
        except Conversation.DoesNotExist as error:
            raise NotFound("There is no such conversation.") from error
        except splitting.CannotSplit as error:
            raise ValidationError({"messages": [str(error)]}) from error
        return Response(one(new.pk), status=201)


class LinkSerializer(serializers.Serializer[dict[str, Any]]):
    relation = serializers.ChoiceField(
        [
            *("previous", "next", "merged", "merged_into"),
            *dict.fromkeys(relation for both in _SHOWN.values() for relation in both),
        ],
        help_text="What the other conversation is to this one.",
    )
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    subject = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    url = serializers.URLField()


class LinkNamedSerializer(serializers.Serializer[dict[str, Any]]):
    relation = serializers.ChoiceField(list(linking.RELATIONS), help_text="What the other one is to this one.")
    id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, help_text="The other conversation.")


class LinkGivenSerializer(serializers.Serializer[dict[str, Any]]):
    """Either `relation` and `id`, or `previous`: what this one continues, null for nothing."""

    relation = serializers.ChoiceField(
        list(linking.RELATIONS), required=False, help_text="What the other one is to this one."
    )
    id = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="The other conversation."
    )
    previous = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.keys() not in ({"relation", "id"}, {"previous"}):
            raise serializers.ValidationError("Give either relation and id, or previous.")
        return attrs


class Links(APIView):
    """What this conversation has to do with others: related, parent and children, what it continues, merged, split."""

    @extend_schema(responses={200: LinkSerializer(many=True)})
    def get(self, request: Request, conversation_id: int) -> Response:
        return Response(_links(conversation_id, agent_of(request)))

    @extend_schema(request=LinkGivenSerializer, responses={200: LinkSerializer(many=True)})
    def post(self, request: Request, conversation_id: int) -> Response:
        """Link it to another one, or say what it continues; the answer is all links. Again, nothing changes."""
        given = LinkGivenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted, user, at = given.validated_data, agent_of(request), timezone.now()
        field = "previous" if "previous" in wanted else "id"
        try:
            if wanted[field] is not None:
                must_see(request, wanted[field])
            if "previous" in wanted:
                merging.link(conversation_id, wanted["previous"], user, at=at)
            else:
                linking.relate(conversation_id, wanted["relation"], wanted["id"], user, at=at)
        except (Conversation.DoesNotExist, NotFound) as error:
            raise ValidationError({field: ["There is no such conversation."]}) from error
        except (merging.CannotLink, linking.CannotLink) as error:
            raise ValidationError({field: [str(error)]}) from error
        return Response(_links(conversation_id, agent_of(request)))

    @extend_schema(
        parameters=[
            OpenApiParameter("relation", str, enum=list(linking.RELATIONS), required=True),
            OpenApiParameter("id", int, required=True, description="The other conversation."),
        ],
        responses={204: None},
    )
    def delete(self, request: Request, conversation_id: int) -> Response:
        """Take a link back; merging and splitting cannot be."""
        given = LinkNamedSerializer(data={name: request.query_params[name] for name in request.query_params})
        given.is_valid(raise_exception=True)
        try:
            gone = linking.unrelate(conversation_id, **_named(given), user=agent_of(request), at=timezone.now())
        except Conversation.DoesNotExist as error:
            raise NotFound("There is no such conversation.") from error
        if not gone:
            raise NotFound("There is no such link.")
        return Response(status=204)


def _named(given: LinkNamedSerializer) -> dict[str, Any]:
    return {"relation": given.validated_data["relation"], "other_id": given.validated_data["id"]}


def _links(conversation_id: int, user: User) -> list[dict[str, Any]]:
    """Those to conversations that this agent may see."""
    here = Conversation.objects.filter(pk=conversation_id).first()
    if here is None:
        raise NotFound("There is no such conversation.")
    relations = [*_by_columns(here), *_by_rows(here)]
    others = visible_conversations(user).in_bulk({pk for _, pk in relations})
    visible = [found for found in relations if found[1] in others]
    return [_shown(relation, others[pk]) for relation, pk in sorted(visible, key=lambda found: found[::-1])]


def _by_columns(here: Conversation) -> list[tuple[str, int]]:
    named = {"previous": here.previous_id, "merged_into": here.merged_into_id}
    found = [(relation, pk) for relation, pk in named.items() if pk is not None]
    pointing = Conversation.objects.filter(Q(previous=here) | Q(merged_into=here)).order_by("pk")
    for pk, merged_into in pointing.values_list("pk", "merged_into")[: linking.MAX_LINKS]:
        found.append(("merged" if merged_into == here.pk else "next", pk))
    return found


def _by_rows(here: Conversation) -> list[tuple[str, int]]:
    rows = ConversationLink.objects.filter(Q(conversation=here) | Q(other=here)).order_by("pk")
    found = []
    for kind, first, second in rows.values_list("kind", "conversation", "other")[: 2 * linking.MAX_LINKS]:
        of_first, of_second = _SHOWN[kind]
        found.append((of_first, first) if second == here.pk else (of_second, second))
    return found


def _shown(relation: str, other: Conversation) -> dict[str, Any]:
    return {
        "relation": relation,
        "id": other.pk,
        "number": other.number,
        "subject": other.subject,
        "status": other.status,
        "url": desk_url(other.pk),
    }
