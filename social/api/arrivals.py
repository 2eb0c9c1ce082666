"""`/api/v1/arrivals/`: the social ledger, and a second try for what was quarantined."""

import django_filters
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.customers.api_fields import ID
from helpdesk.customers.api_filters import IdFilter
from helpdesk.customers.permissions import IsAdmin
from social import arrivals
from social.models import Arrival


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class ArrivalSerializer(serializers.ModelSerializer[Arrival]):
    """One happening on a network, kept before it was worked on; it has exactly one outcome."""

    class Meta:
        model = Arrival
        fields = (
            "id", "account", "key", "subject", "happened_at", "received_at", "body", "about", "state", "error",
            "attempts", "due_at", "message",
        )  # fmt: skip
        read_only_fields = fields


class ArrivalFilters(django_filters.FilterSet):  # type: ignore[misc]
    account = IdFilter(field_name="account_id")

    class Meta:
        model = Arrival
        fields = ["state", "account"]


class ArrivalViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Arrival]):
    """Everything a network told us, newest first. For admins: it holds what private teams alone may read elsewhere."""

    permission_classes = (IsAdmin,)
    queryset = Arrival.objects.all()
    serializer_class = ArrivalSerializer
    filterset_class = ArrivalFilters
    http_method_names = ["get", "head", "options", "post"]
    lookup_value_regex = ID

    @extend_schema(request=None, responses=ArrivalSerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """File a quarantined one again, for instance after an update of the program."""
        arrival = self.get_object()
        if not arrivals.replay(arrival.pk, at=timezone.now()):
            raise Conflict("It is not quarantined, or could not be read at all.")
        arrival.refresh_from_db()
        return Response(self.get_serializer(arrival).data)
