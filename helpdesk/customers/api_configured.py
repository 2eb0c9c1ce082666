"""What agents read and admins write: one view set for all of it. Every change is in the audit log."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import viewsets
from rest_framework.permissions import BasePermission
from rest_framework.serializers import BaseSerializer

from helpdesk.customers import audit
from helpdesk.customers.api_fields import ID
from helpdesk.customers.permissions import IsAdminOrReads, agent_of


class Configured(viewsets.ModelViewSet[Any]):
    """What agents read and admins write."""

    permission_classes: tuple[type[BasePermission], ...] = (IsAdminOrReads,)
    http_method_names = ["get", "head", "options", "post", "patch", "delete"]
    lookup_value_regex = ID

    @transaction.atomic
    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        self.write(serializer)
        self.note("created", serializer.instance, {}, self._shown(serializer.instance))

    @transaction.atomic
    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        assert serializer.instance is not None, "what is patched is there"
        before = self._shown(serializer.instance)
        self.write(serializer)
        # Secrets are never shown, so that they were given is all there is to tell.
        unseen = {name: "given" for name in serializer.validated_data if name not in before}
        self.note("changed", serializer.instance, before, {**self._shown(serializer.instance), **unseen})

    @transaction.atomic
    def perform_destroy(self, instance: Any) -> None:
        before, pk = self._shown(instance), instance.pk
        self.remove(instance)
        self.note("deleted", instance, before, {}, pk)

    def write(self, serializer: BaseSerializer[Any]) -> None:
        """Save what was given; for those whose rows are saved in a way of their own."""
        serializer.save()

    def remove(self, instance: Any) -> None:
        """Remove a row; for those that may not always go."""
        instance.delete()

    def note(
        self, action: str, instance: Any, before: dict[str, Any], after: dict[str, Any], thing_id: int | None = None
    ) -> None:
        """Write it into the audit log."""
        by = agent_of(self.request).pk
        audit.record(by, action, instance, before, after, at=timezone.now(), thing_id=thing_id)

    def _shown(self, instance: Any) -> dict[str, Any]:
        """The row as the API shows it, read anew."""
        row = type(instance)._default_manager.get(pk=instance.pk)
        assert self.serializer_class is not None, "every one of these has a shape"
        return dict(self.serializer_class(row, context=self.get_serializer_context()).data)
