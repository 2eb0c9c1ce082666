"""`/api/v1/incidents/`: what is broken, what was said about it, and whom it has made write to us."""

from typing import Any

import django_filters
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, mixins, viewsets
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from helpdesk.customers.permissions import agent_of
from status import amending, drafts, incidents
from status.api.incident_shapes import (
    CorrectionSerializer,
    IncidentChangesSerializer,
    IncidentSerializer,
    NewIncidentSerializer,
    NewUpdateSerializer,
    UpdateSerializer,
)
from status.api.shapes import PUBLIC_ID
from status.incidents import Refused
from status.models import Incident, IncidentComponent, IncidentUpdate

SHOWN_UPDATES = 10


class Conflict(APIException):
    status_code = 409
    default_code = "conflict"


class IncidentFilters(django_filters.FilterSet):  # type: ignore[misc]
    status = django_filters.ChoiceFilter(choices=Incident.Status.choices)
    unresolved = django_filters.BooleanFilter(
        field_name="resolved_at", lookup_expr="isnull", help_text="Those that go on, or those that are over."
    )
    component = django_filters.CharFilter(field_name="affected__component__public_id", max_length=12)
    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains", max_length=200)


def rows(kind: str) -> QuerySet[Incident]:
    """Incidents of a kind with what the API shows of them, in a bounded number of statements."""
    affected = IncidentComponent.objects.select_related("component").order_by("component__position", "component_id")
    updates = IncidentUpdate.objects.order_by("-display_at", "-pk").prefetch_related("affected__component")
    return Incident.objects.filter(kind=kind).prefetch_related(
        Prefetch("affected", affected), Prefetch("updates", updates[:SHOWN_UPDATES], to_attr="newest_updates")
    )


def one(kind: str, public_id: str) -> Incident:
    """Raises NotFound."""
    found = rows(kind).filter(public_id=public_id).first()
    if found is None:
        raise NotFound("There is no such incident.")
    return found


class OfKind(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Incident]):
    """What incidents and maintenances have in common."""

    kind: str = Incident.Kind.INCIDENT
    queryset = Incident.objects.none()
    filterset_class = IncidentFilters
    lookup_field = "public_id"
    lookup_value_regex = PUBLIC_ID
    shape: type[BaseSerializer[Any]]

    def get_queryset(self) -> QuerySet[Incident]:
        return rows(self.kind)

    def answer(self, public_id: str, status: int = 200) -> Response:
        found = one(self.kind, public_id)
        return Response(self.shape(found, context=self.get_serializer_context()).data, status=status)


class IncidentViewSet(OfKind):
    """What is or was broken, newest first. Agents open and publish; viewers read."""

    kind = Incident.Kind.INCIDENT
    serializer_class = shape = IncidentSerializer

    @extend_schema(request=NewIncidentSerializer, responses={201: IncidentSerializer})
    def create(self, request: Request) -> Response:
        """Open one with its first words: public at once, unless it is a draft or has a later time."""
        given = NewIncidentSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            made = incidents.open_incident(given.opening(), agent_of(request), at=timezone.now())
        except Refused as error:
            raise refused(error) from error
        return self.answer(made.public_id, 201)

    @extend_schema(request=IncidentChangesSerializer, responses={200: IncidentSerializer})
    @transaction.atomic
    def partial_update(self, request: Request, public_id: str) -> Response:
        """Another name, another impact than its components say, an earlier or later begin. Nobody is told."""
        given = IncidentChangesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        incident, at, user = one(self.kind, public_id), timezone.now(), agent_of(request)
        try:
            if "impact" in given.validated_data:
                incidents.override_impact(incident, given.validated_data["impact"] or "", user, at=at)
            amending.amend(
                incident,
                user,
                name=given.validated_data.get("name"),
                started_at=given.validated_data.get("started_at"),
                at=at,
            )
        except Refused as error:
            raise refused(error) from error
        return self.answer(public_id)


class Updates(generics.ListAPIView[IncidentUpdate]):
    """What was said, and what is to be said, newest first."""

    kind: str = Incident.Kind.INCIDENT
    queryset = IncidentUpdate.objects.none()
    serializer_class = UpdateSerializer

    def get_queryset(self) -> QuerySet[IncidentUpdate]:
        found = IncidentUpdate.objects.select_related("incident").prefetch_related("affected__component")
        return found.filter(incident=one(self.kind, self.kwargs["public_id"]))

    @extend_schema(request=NewUpdateSerializer, responses={201: UpdateSerializer})
    def post(self, request: Request, public_id: str) -> Response:
        """Say the next thing. Components left out stay as they are; at the end all become operational."""
        given = NewUpdateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            made = incidents.add_update(one(self.kind, public_id), given.words(), agent_of(request), at=timezone.now())
        except Refused as error:
            raise refused(error) from error
        return Response(UpdateSerializer(made).data, status=201)


class OneUpdate(APIView):
    """One thing that was said, or is to be said."""

    kind: str = Incident.Kind.INCIDENT

    @extend_schema(responses={200: UpdateSerializer})
    def get(self, request: Request, public_id: str, update_id: str) -> Response:
        return Response(UpdateSerializer(self._found(public_id, update_id)).data)

    @extend_schema(request=CorrectionSerializer, responses={200: UpdateSerializer})
    def patch(self, request: Request, public_id: str, update_id: str) -> Response:
        """Correct its words. Whoever was told already is not told again. What is not published is written anew; once
        it is published only `body` and `display_at` change.
        """
        update = self._found(public_id, update_id)
        given = CorrectionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        new = given.validated_data
        try:
            if update.published_at is None:
                kept = drafts.rewrite(update, given.words(update), agent_of(request), at=timezone.now())
                return Response(UpdateSerializer(kept).data)
            if new.keys() - {"body", "display_at"}:
                raise Refused("what was published keeps its states and its time; say the next thing instead")
            incidents.correct(
                update,
                new.get("body", update.body),
                agent_of(request),
                display_at=new.get("display_at"),
                at=timezone.now(),
            )
        except Refused as error:
            raise refused(error) from error
        return Response(UpdateSerializer(update).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, public_id: str, update_id: str) -> Response:
        """Throw away what is not published. An incident of which nothing was published goes with its last words."""
        try:
            incidents.discard(self._found(public_id, update_id), agent_of(request), at=timezone.now())
        except Refused as error:
            raise Conflict(_sentence(error)) from error
        return Response(status=204)

    def _found(self, public_id: str, update_id: str) -> IncidentUpdate:
        found = IncidentUpdate.objects.filter(
            public_id=update_id, incident__public_id=public_id, incident__kind=self.kind
        )
        update = found.select_related("incident").first()
        if update is None:
            raise NotFound("There is no such update.")
        return update


class Publication(OneUpdate):
    """Let the world see what is a draft, or waits for its time."""

    http_method_names = ["post", "options"]

    @extend_schema(request=None, responses={200: UpdateSerializer})
    def post(self, request: Request, public_id: str, update_id: str) -> Response:
        """Now. Again, nothing changes."""
        update = self._found(public_id, update_id)
        incidents.publish(update.pk, agent_of(request), at=timezone.now())
        update.refresh_from_db()
        return Response(UpdateSerializer(update).data)


def refused(error: Refused) -> ValidationError:
    return ValidationError({"non_field_errors": [_sentence(error)]})


def _sentence(error: Refused) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
