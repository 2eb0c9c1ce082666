"""What agents read and admins write: one view set for all of it."""

from typing import Any

from django.db import transaction
from rest_framework import viewsets
from rest_framework.serializers import BaseSerializer

from helpdesk.customers.api_fields import ID
from helpdesk.customers.permissions import IsAdminOrReads


class Configured(viewsets.ModelViewSet[Any]):
    """What agents read and admins write."""

    permission_classes = (IsAdminOrReads,)
    http_method_names = ["get", "head", "options", "post", "patch", "delete"]
    lookup_value_regex = ID

    @transaction.atomic
    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.save()

    @transaction.atomic
    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        serializer.save()

    @transaction.atomic
    def perform_destroy(self, instance: Any) -> None:
        instance.delete()
