"""`/api/v1/quotes/`: drafts are written, sent and taken back; customers answer by their link or in the portal."""

from decimal import Decimal
from typing import Any, ClassVar

import django_filters
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.conversations.models import Conversation
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.permissions import agent_of
from quotes import drafting, links, money, sending
from quotes.currencies import MINOR_UNITS
from quotes.drafting import BadQuote, Content, LineGiven
from quotes.models import Quote, QuoteLine
from quotes.money import Line
from quotes.permissions import visible_quotes


class Conflict(APIException):
    status_code = 409
    default_code = "conflict"


class QuoteLineSerializer(serializers.ModelSerializer[QuoteLine]):
    quantity = serializers.DecimalField(max_digits=11, decimal_places=3, default=Decimal(1))
    unit_price = serializers.DecimalField(max_digits=17, decimal_places=4, help_text="As many decimals as it has.")
    tax_rate = serializers.DecimalField(max_digits=5, decimal_places=2, default=Decimal(0), help_text="Percent.")
    net = serializers.SerializerMethodField(help_text="Rounded to the currency.")
    tax = serializers.SerializerMethodField()

    class Meta:
        model = QuoteLine
        fields = ["text", "quantity", "unit_price", "tax_rate", "net", "tax"]

    def get_net(self, line: QuoteLine) -> str:
        return f"{money.of_line(drafting.line_of(line), line.quote.currency).net:f}"

    def get_tax(self, line: QuoteLine) -> str:
        return f"{money.of_line(drafting.line_of(line), line.quote.currency).tax:f}"


class QuoteSerializer(serializers.ModelSerializer[Quote]):
    """Amounts are decimals in texts, with the currency's decimals. `url` is the customer's link, once it was sent."""

    number = serializers.CharField(read_only=True)
    lines = QuoteLineSerializer(many=True, read_only=True)
    net = serializers.SerializerMethodField()
    tax = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = Quote
        fields = [
            "id", "number", "version", "supersedes", "state", "conversation", "customer", "organization", "author",
            "title", "words", "language", "currency", "tax_name", "terms", "valid_until", "deliver_by", "remind_days",
            "upgrade_plan", "upgrade_price", "upgrade_words", "lines", "net", "tax", "total", "url", "created_at",
            "updated_at", "sent_at", "ended_at", "answer", "answered_name", "answered_from", "answered_via", "reason",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = fields

    def get_net(self, quote: Quote) -> str:
        return f"{money.rounded(quote.net, quote.currency):f}"

    def get_tax(self, quote: Quote) -> str:
        return f"{money.rounded(quote.tax, quote.currency):f}"

    def get_total(self, quote: Quote) -> str:
        return f"{money.rounded(quote.total, quote.currency):f}"

    def get_url(self, quote: Quote) -> str:
        return "" if quote.state == Quote.State.DRAFT else links.url(quote)


class QuoteDraftSerializer(serializers.Serializer[Quote]):
    """What is not given is what the settings say. `client_id` makes it harmless to send it twice."""

    conversation = serializers.IntegerField(min_value=1, max_value=2**62)
    client_id = serializers.UUIDField(required=False)
    title = serializers.CharField(max_length=200, required=False, help_text="The conversation's subject if left out.")
    words = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    currency = serializers.ChoiceField(choices=sorted(MINOR_UNITS), required=False)
    language = serializers.ChoiceField(choices=settings.LANGUAGES, required=False)
    tax_name = serializers.CharField(max_length=40, required=False, allow_blank=True)
    terms = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    valid_until = serializers.DateField(required=False)
    deliver_by = serializers.DateField(required=False, allow_null=True)
    remind_days = serializers.IntegerField(min_value=0, max_value=60, required=False)
    offers_upgrade = serializers.BooleanField(required=False, default=True)
    lines = QuoteLineSerializer(many=True)


class QuoteSendingSerializer(serializers.Serializer[Quote]):
    words = serializers.CharField(max_length=5000, required=False, allow_blank=True, help_text="Of the reply it is in.")
    client_id = serializers.UUIDField(required=False)


class QuoteWithdrawalSerializer(serializers.Serializer[Quote]):
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class QuoteFilters(django_filters.FilterSet):  # type: ignore[misc]
    state = django_filters.ChoiceFilter(choices=Quote.State.choices)
    conversation = django_filters.NumberFilter(field_name="conversation_id")
    customer = django_filters.NumberFilter(field_name="customer_id")
    organization = django_filters.NumberFilter(field_name="organization_id")
    author = django_filters.NumberFilter(field_name="author_id")


class QuoteViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Quote]):
    """Those of conversations that the agent may see, newest first."""

    queryset = Quote.objects.all()
    serializer_class = QuoteSerializer
    filterset_class = QuoteFilters
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Quote]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return visible_quotes(agent_of(self.request)).prefetch_related("lines__quote")

    def _one(self, pk: str) -> Quote:
        found = self.get_queryset().filter(pk=pk).first()
        if found is None:
            raise NotFound
        return found

    def _shown(self, quote: Quote, status: int = 200) -> Response:
        return Response(QuoteSerializer(self._one(str(quote.pk))).data, status=status)

    @extend_schema(responses={200: QuoteSerializer})
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(QuoteSerializer(self._one(pk)).data)

    @extend_schema(request=QuoteDraftSerializer, responses={201: QuoteSerializer})
    def create(self, request: Request) -> Response:
        """A draft: nothing leaves yet."""
        given = _valid(QuoteDraftSerializer(data=request.data))
        seen = visible_conversations(agent_of(request)).select_related("customer__organization")
        conversation = seen.filter(pk=given["conversation"]).first()
        if conversation is None:
            raise ValidationError({"conversation": "There is no such conversation."})
        content = _content(conversation, given)
        try:
            quote = drafting.draft(
                conversation.pk, content, agent_of(request), at=timezone.now(), client_id=given.get("client_id")
            )
        except BadQuote as error:
            raise _refused(error) from error
        return self._shown(quote, 201)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Throw a draft away."""
        try:
            drafting.discard(self._one(pk).pk)
        except drafting.NotADraft as error:
            raise Conflict("It is no draft any more.") from error
        return Response(status=204)

    @extend_schema(request=QuoteSendingSerializer, responses={200: QuoteSerializer})
    @action(detail=True, methods=["post"], url_path="sending")
    def sending(self, request: Request, pk: str) -> Response:
        """Number it and send it into its conversation, with PDF and link."""
        given, quote = _valid(QuoteSendingSerializer(data=request.data)), self._one(pk)
        try:
            sent = sending.send(
                quote.pk, agent_of(request), at=timezone.now(), words=given.get("words", ""),
                client_id=given.get("client_id"),
            )  # fmt: skip
        except BadQuote as error:
            raise _refused(error) from error
        except drafting.NotADraft as error:
            raise Conflict("It is no draft any more.") from error
        except sending.Superseded as error:
            raise Conflict("The version before was accepted meanwhile.") from error
        return self._shown(sent)

    @extend_schema(request=QuoteWithdrawalSerializer, responses={200: QuoteSerializer})
    @action(detail=True, methods=["post"], url_path="withdrawal")
    def withdrawal(self, request: Request, pk: str) -> Response:
        """Take back what waits for its answer."""
        given, quote = _valid(QuoteWithdrawalSerializer(data=request.data)), self._one(pk)
        try:
            return self._shown(
                sending.withdraw(quote.pk, agent_of(request), given.get("reason", ""), at=timezone.now())
            )
        except sending.NotOpen as error:
            raise Conflict("It does not wait for an answer.") from error


def _valid(given: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _content(conversation: Conversation, given: dict[str, Any]) -> Content:
    usual = drafting.beginning(conversation.customer, conversation.subject, at=timezone.now())
    offers = given["offers_upgrade"]
    values: dict[str, Any] = {
        name: given.get(name, getattr(usual, name))
        for name in ("title", "words", "currency", "language", "tax_name", "terms", "valid_until", "deliver_by",
                     "remind_days")
    }  # fmt: skip
    lines = [
        LineGiven(one["text"], Line(one["quantity"], one["unit_price"], one["tax_rate"])) for one in given["lines"]
    ]
    return Content(
        **values,
        lines=lines,
        upgrade_plan=usual.upgrade_plan if offers else None,
        upgrade_price=usual.upgrade_price if offers else "",
        upgrade_words=usual.upgrade_words if offers else "",
    )


def _refused(error: BadQuote) -> ValidationError:
    if error.line is not None:
        return ValidationError({"lines": {str(error.line): {error.field: [str(error)]}}})
    return ValidationError({error.field or "detail": [str(error)]})
