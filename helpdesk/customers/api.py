"""`/api/v1/`: customers, organizations, plans, services, teams."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework import mixins, viewsets
from rest_framework.exceptions import ValidationError

# Loaded for its effect: it teaches the schema what a token is.
from helpdesk.customers import api_schema as api_schema
from helpdesk.customers.api_configured import Configured
from helpdesk.customers.api_fields import ID
from helpdesk.customers.api_filters import IdFilter
from helpdesk.customers.models import Customer, Organization, Plan, Service, Team
from helpdesk.customers.serializers import (
    CustomerSerializer,
    OrganizationSerializer,
    PlanSerializer,
    ServiceSerializer,
    TeamSerializer,
)

# People are never deleted: what they said stays theirs.
METHODS_OF_PEOPLE = ["get", "head", "options", "post", "patch"]


class CustomerFilters(django_filters.FilterSet):  # type: ignore[misc]
    email = django_filters.CharFilter(lookup_expr="iexact", max_length=320)
    organization = IdFilter()
    q = django_filters.CharFilter(method="search", max_length=200, help_text="Part of the name or of the address.")

    def search(self, rows: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return rows.filter(Q(name__icontains=value) | Q(email__icontains=value))


class CustomerViewSet(
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.ListModelMixin,
    viewsets.GenericViewSet[Customer],
):
    """People who ask for help. Agents may add and correct them."""

    queryset = Customer.objects.prefetch_related("identities")
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilters
    http_method_names = METHODS_OF_PEOPLE
    lookup_value_regex = ID


class OrganizationViewSet(Configured):
    """Customer companies, each with its plan."""

    queryset = Organization.objects.all()
    serializer_class = OrganizationSerializer


class PlanViewSet(Configured):
    """What a company can buy: which promises hold, when, and which real-time channels."""

    queryset = Plan.objects.all()
    serializer_class = PlanSerializer

    def remove(self, instance: Plan) -> None:
        if instance.is_default:
            raise ValidationError(_("Customers without a company need a default plan: make another one default first."))
        super().remove(instance)


class ServiceViewSet(Configured):
    """Clusters, the servers in them, the websites on those."""

    queryset = Service.objects.prefetch_related("organizations")
    serializer_class = ServiceSerializer


class TeamViewSet(Configured):
    queryset = Team.objects.all()
    serializer_class = TeamSerializer
