"""`/api/v1/inbound-emails/`: the ledger of every mail that ever reached us."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import serializers, viewsets

from helpdesk.customers.api_fields import ID
from helpdesk.customers.api_filters import IdFilter
from helpdesk.customers.permissions import agent_of
from helpdesk.customers.visibility import visible_to
from tickets.models import InboundEmail


class InboundEmailSerializer(serializers.ModelSerializer[InboundEmail]):
    message_id = serializers.CharField(source="mail_id", help_text="The Message-ID header, without brackets.")

    class Meta:
        model = InboundEmail
        fields = ["id", "source", "message_id", "sha256", "received_at", "state", "conversation", "error"]
        read_only_fields = fields


class InboundEmailFilters(django_filters.FilterSet):  # type: ignore[misc]
    state = django_filters.ChoiceFilter(choices=InboundEmail.State.choices)
    source = django_filters.CharFilter(max_length=40)
    conversation = IdFilter()
    sha256 = django_filters.CharFilter(max_length=64)
    message_id = django_filters.CharFilter(
        method="by_message_id", max_length=998, help_text="With or without brackets."
    )

    def by_message_id(self, rows: QuerySet[InboundEmail], name: str, value: str) -> QuerySet[InboundEmail]:
        return rows.filter(mail_id=value.strip().removeprefix("<").removesuffix(">"))


class InboundEmailViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    """Newest first; the raw mail itself is not handed out here."""

    queryset = InboundEmail.objects.only(
        "id", "source", "mail_id", "sha256", "received_at", "state", "conversation", "error"
    )
    serializer_class = InboundEmailSerializer
    filterset_class = InboundEmailFilters
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[InboundEmail]:
        user = agent_of(self.request)
        mails = super().get_queryset()
        return mails if user.is_admin else mails.filter(Q(conversation=None) | visible_to(user, "conversation__"))
