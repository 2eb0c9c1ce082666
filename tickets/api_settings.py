"""`/api/v1/mailboxes/`, `/api/v1/imap-accounts/` and `/api/v1/suspended-addresses/`."""

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.validators import UniqueTogetherValidator

from helpdesk.customers import audit
from helpdesk.customers.api_configured import Configured
from helpdesk.customers.api_fields import ID, IdOrName
from helpdesk.customers.models import Team
from helpdesk.customers.permissions import IsAdminOrReads, agent_of
from tickets.mail import mailbox_editing
from tickets.models import ImapAccount, Mailbox, SuspendedAddress

MAX_ALIASES = 100
MAX_SIGNATURE = 10_000
_NO_CONTROLS = r"^[^\x00-\x1f\x7f]+$"


class MailboxSerializer(serializers.ModelSerializer[Mailbox]):
    """An address of ours; mail to it opens conversations of `team` with `priority`."""

    address = serializers.CharField(max_length=320)
    aliases = serializers.ListField(child=serializers.CharField(max_length=320), max_length=MAX_ALIASES, required=False)
    team = IdOrName(name_field="name", queryset=Team.objects.all(), required=False, allow_null=True)
    signature = serializers.CharField(max_length=MAX_SIGNATURE, required=False, allow_blank=True)
    is_default = serializers.BooleanField(required=False)

    class Meta:
        model = Mailbox
        fields = ["id", "address", "aliases", "name", "team", "priority", "signature", "is_default"]

    def create(self, validated_data: Mapping[str, Any]) -> Mailbox:
        return self.update(Mailbox(), validated_data)

    def update(self, instance: Mailbox, validated_data: Mapping[str, Any]) -> Mailbox:
        try:
            return mailbox_editing.save_mailbox(instance, validated_data)
        except mailbox_editing.Refused as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error


class MailboxViewSet(Configured):
    """Our own addresses. Keep an old address as an alias: customers go on writing to it."""

    queryset = Mailbox.objects.all()
    serializer_class = MailboxSerializer

    def remove(self, instance: Mailbox) -> None:
        try:
            mailbox_editing.remove_mailbox(instance)
        except mailbox_editing.Refused as error:
            raise ValidationError(str(error)) from error


class ImapAccountSerializer(serializers.ModelSerializer[ImapAccount]):
    """A folder that mail is fetched from. Host, user and folder stay: another place is another account."""

    mailbox = IdOrName(name_field="address", queryset=Mailbox.objects.all())
    host = serializers.RegexField(r"^[A-Za-z0-9._:-]+$", max_length=253)
    port = serializers.IntegerField(min_value=1, max_value=65_535, required=False)
    username = serializers.RegexField(_NO_CONTROLS, max_length=320)
    secret = serializers.RegexField(
        _NO_CONTROLS,
        max_length=1_000,
        write_only=True,
        trim_whitespace=False,
        help_text="The password; stored encrypted and never shown.",
    )
    folder = serializers.RegexField(_NO_CONTROLS, max_length=200, required=False, default="INBOX")

    class Meta:
        model = ImapAccount
        fields = [
            "id", "mailbox", "host", "port", "use_tls", "username", "secret", "folder", "is_active", "error",
            "polled_at",
        ]  # fmt: skip
        read_only_fields = ["error", "polled_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "error": {"help_text": "What went wrong the last time; empty where all was well."},
            "polled_at": {"help_text": "When it was last looked at."},
        }
        validators: ClassVar[list[Any]] = [
            UniqueTogetherValidator(
                ImapAccount.objects.all(), ["host", "username", "folder"], "This folder is fetched already."
            )
        ]

    def validate_host(self, host: str) -> str:
        return host.lower()

    def create(self, validated_data: Mapping[str, Any]) -> ImapAccount:
        return self.update(ImapAccount(), validated_data)

    def update(self, instance: ImapAccount, validated_data: Mapping[str, Any]) -> ImapAccount:
        try:
            return mailbox_editing.save_imap_account(instance, validated_data)
        except mailbox_editing.Refused as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error


class ImapAccountViewSet(Configured):
    """Where mail is fetched from, with what went wrong the last time. Removing one leaves the mail on its server."""

    queryset = ImapAccount.objects.all()
    serializer_class = ImapAccountSerializer


class SuspendedAddressSerializer(serializers.ModelSerializer[SuspendedAddress]):
    class Meta:
        model = SuspendedAddress
        fields = ["id", "address", "hard_bounces", "until", "reason", "bounced_at"]
        read_only_fields = fields


class SuspendedAddressFilters(django_filters.FilterSet):  # type: ignore[misc]
    address = django_filters.CharFilter(lookup_expr="iexact", max_length=320)


class SuspendedAddressViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[SuspendedAddress],
):
    """Addresses nothing is sent to because mail bounced. Deleting one lifts the suspension and says who did."""

    queryset = SuspendedAddress.objects.all()
    serializer_class = SuspendedAddressSerializer
    filterset_class = SuspendedAddressFilters
    permission_classes = (IsAdminOrReads,)
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[SuspendedAddress]:
        return super().get_queryset().filter(until__gt=timezone.now())

    def perform_destroy(self, instance: SuspendedAddress) -> None:
        by, at, before, pk = agent_of(self.request), timezone.now(), audit.stored(instance), instance.pk
        with transaction.atomic():
            mailbox_editing.lift_suspension(instance, by, at=at)
            audit.record(by.pk, "deleted", instance, before, {}, at=at, thing_id=pk)
