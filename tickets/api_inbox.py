"""Finding conversations as from the desk: views of the inbox with their counts, and search."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.conversations.rows import conversation_rows, shown
from helpdesk.conversations.search import MAX_QUERY, TooCommon
from helpdesk.conversations.serializers import ConversationSerializer
from helpdesk.customers.permissions import agent_of
from tickets.desk import counts, filters, inbox, queue, search
from tickets.desk.rendering import marked

FURTHEST = 250


class InboxSerializer(serializers.Serializer[dict[str, Any]]):
    view = serializers.CharField(help_text="Its key.")
    title = serializers.CharField()
    next = serializers.URLField(allow_null=True)
    results = ConversationSerializer(many=True)


class Inbox(APIView):
    """A page of a view, in the order of the desk: by deadline, last change or time to wake."""

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "view", str, description="A standard view's key, `saved-ID`, or `filter` for the filters alone."
            ),
            *(
                OpenApiParameter(name, str, many=name in filters.SEVERAL, description="Narrows the view.")
                for name in inbox.NARROWING
            ),
            OpenApiParameter("after", str, description="As in `next`."),
        ],
        responses={200: InboxSerializer},
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params
        given = {name: values if name in filters.SEVERAL else values[-1] for name, values in asked.lists()}
        user = agent_of(request)
        try:
            view = inbox.find(given, user)
            found = queue.read(view, user, after=asked.get("after", ""))
        except inbox.UnknownView as error:
            raise ValidationError({"view": ["There is no such view."]}) from error
        except filters.BadFilter as error:
            raise ValidationError({"view": [str(error)]}) from error
        except queue.BadCursor as error:
            raise ValidationError({"after": ["This is no place that a page gave out."]}) from error
        rest = {name: values for name, values in asked.lists() if name != "after"} | {"after": [found.after]}
        following = request.build_absolute_uri(f"{request.path}?{urlencode(rest, doseq=True)}")
        results = _conversations([row["id"] for row in found.rows])
        return Response(
            {
                "view": view.key,
                "title": str(view.title),
                "next": following if found.after else None,
                "results": results,
            }
        )


def _conversations(numbers: Sequence[int]) -> list[dict[str, Any]]:
    """These, in this order."""
    rows = {row["id"]: shown(row) for row in conversation_rows().filter(pk__in=numbers)}
    return [rows[number] for number in numbers if number in rows]


class ViewCountSerializer(serializers.Serializer[dict[str, Any]]):
    view = serializers.CharField(help_text="As `view` of the inbox.")
    title = serializers.CharField()
    count = serializers.CharField(help_text="Empty for nothing, `99+` for more than was looked at.")


class InboxCounts(APIView):
    """The views there are for this agent, with the numbers beside them."""

    @extend_schema(responses={200: ViewCountSerializer(many=True)})
    def get(self, request: Request) -> Response:
        found = counts.count(agent_of(request))
        views = [*inbox.standard().values(), *(view for view, _number in found.saved)]
        return Response(
            [{"view": view.key, "title": str(view.title), "count": found.views.get(view.key, "")} for view in views]
        )


class HitSerializer(serializers.Serializer[dict[str, Any]]):
    conversation = ConversationSerializer()
    message = serializers.IntegerField(allow_null=True, help_text="The one that has the words.")
    excerpt = serializers.CharField()
    excerpt_html = serializers.CharField(help_text="The same, escaped, with what was found in `<mark>`.")


class FoundSerializer(serializers.Serializer[dict[str, Any]]):
    next = serializers.URLField(allow_null=True)
    is_cut = serializers.BooleanField(help_text="Only the newest matches were looked at.")
    not_understood = serializers.ListField(child=serializers.CharField())
    results = HitSerializer(many=True)


class Search(APIView):
    """Words in subjects, messages, notes and names of files, people's names, and fields: as on the desk."""

    @extend_schema(
        operation_id="search",
        parameters=[
            OpenApiParameter(
                "q", str, required=True, description='`invoice from:carol status:open "exact words" -not`'
            ),
            OpenApiParameter("sort", str, enum=["best", "newest"]),
            OpenApiParameter("from", int, description="As in `next`."),
        ],
        responses={200: FoundSerializer},
    )
    def get(self, request: Request) -> Response:
        given = _AskedSerializer(data={name: request.query_params[name] for name in request.query_params})
        given.is_valid(raise_exception=True)
        asked, user = given.validated_data, agent_of(request)
        query = search.parse(asked["q"], user)
        try:
            found = search.find(query, user, newest_first=asked["sort"] == "newest", offset=asked["start"])
        except TooCommon as error:
            raise ValidationError({"q": ["Too many have these words: say more."]}) from error
        rest = urlencode({"q": asked["q"], "sort": asked["sort"], "from": found.after})
        has_more = bool(found.after) and found.after <= FURTHEST
        conversations = {row["id"]: row for row in _conversations([row["id"] for row in found.rows])}
        return Response(
            {
                "next": request.build_absolute_uri(f"{request.path}?{rest}") if has_more else None,
                "is_cut": found.is_cut,
                "not_understood": list(query.not_understood),
                "results": [_hit(row, conversations[row["id"]]) for row in found.rows if row["id"] in conversations],
            }
        )


class _AskedSerializer(serializers.Serializer[dict[str, Any]]):
    q = serializers.CharField(max_length=MAX_QUERY)
    sort = serializers.ChoiceField(["best", "newest"], required=False, default="best")

    def get_fields(self) -> dict[str, Any]:
        # `from` is no name of Python's.
        start = serializers.IntegerField(source="start", min_value=0, max_value=FURTHEST, required=False, default=0)
        return {**super().get_fields(), "from": start}


def _hit(row: dict[str, Any], conversation: dict[str, Any]) -> dict[str, Any]:
    text = row["excerpt"] or ""
    return {
        "conversation": conversation,
        "message": row["message_id"],
        "excerpt": text.replace("\x02", "").replace("\x03", ""),
        "excerpt_html": str(marked(text)),
    }
