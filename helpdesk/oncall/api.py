"""`/api/v1/pages/`, `/api/v1/schedules/` and `/api/v1/oncall/now/`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import django_filters
from django.db import IntegrityError, transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.customers import audit
from helpdesk.customers.api_configured import Configured
from helpdesk.customers.api_fields import ID
from helpdesk.customers.api_filters import IdFilter
from helpdesk.customers.models import User
from helpdesk.customers.permissions import IsAdminOrReads, agent_of
from helpdesk.events.actors import Actor
from helpdesk.oncall import paging, rota, rota_editing, rotas
from helpdesk.oncall.models import Override, Page, Schedule, Urgency
from helpdesk.oncall.serializers import (
    OnCallNowSerializer,
    OverrideSerializer,
    PageSerializer,
    ScheduleInputSerializer,
    ScheduleSerializer,
    SlotSerializer,
    WindowSerializer,
)
from helpdesk.oncall.visibility import visible_pages

WINDOW = [OpenApiParameter("from", datetime), OpenApiParameter("until", datetime)]


class PageFilters(django_filters.FilterSet):  # type: ignore[misc]
    state = django_filters.ChoiceFilter(choices=Page.State.choices)
    urgency = django_filters.ChoiceFilter(choices=Urgency.choices)
    conversation = IdFilter()
    dedup_key = django_filters.CharFilter(max_length=255)


class PageViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Page]):
    """Calls for a person's attention, newest first."""

    queryset = Page.objects.all()
    serializer_class = PageSerializer
    filterset_class = PageFilters
    lookup_value_regex = ID

    def get_queryset(self) -> Any:
        return visible_pages(agent_of(self.request)).prefetch_related("deliveries")

    @extend_schema(request=None, responses={200: PageSerializer})
    @action(detail=True, methods=["post"])
    def resolution(self, request: Request, pk: str) -> Response:
        """It is over. Resolving again changes nothing."""
        paging.resolve(self.get_object().pk, at=timezone.now(), user=agent_of(request), why="api")
        return Response(PageSerializer(self.get_object()).data)


class ScheduleViewSet(Configured):
    """Rotas: layers of people taking turns, who stands in, and where nobody is on call but the fallback."""

    queryset = Schedule.objects.prefetch_related("layers__turns")
    serializer_class = ScheduleSerializer

    def get_serializer_class(self) -> Any:
        return ScheduleInputSerializer if self.action in ("create", "partial_update") else ScheduleSerializer

    @extend_schema(request=ScheduleInputSerializer, responses={201: ScheduleSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().create(request, *args, **kwargs)

    @extend_schema(request=ScheduleInputSerializer, responses={200: ScheduleSerializer})
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().partial_update(request, *args, **kwargs)

    @extend_schema(parameters=WINDOW, responses={200: SlotSerializer(many=True)}, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def timeline(self, request: Request, pk: str) -> Response:
        """Who is on call from `from` to `until` (default: the next two weeks), gaps included."""
        return Response(_slots(self._window(request)))

    @extend_schema(parameters=WINDOW, responses={200: SlotSerializer(many=True)}, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def gaps(self, request: Request, pk: str) -> Response:
        """Times in which only the fallback would be called."""
        return Response(_slots(rota.gaps(self._window(request))))

    def _window(self, request: Request) -> list[rota.Slot]:
        given = WindowSerializer(data={name: request.query_params[name] for name in request.query_params})
        given.is_valid(raise_exception=True)
        start = given.validated_data.get("from") or timezone.now()
        until = given.validated_data.get("until") or start + rotas.LOOK_AHEAD
        if until < start:
            raise ValidationError({"until": ["It ends after it starts."]})
        try:
            return rotas.timeline(self.get_object(), start, until)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class OverrideViewSet(
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    viewsets.GenericViewSet[Override],
):
    """Who stands in when. Taking one back ends it now, or removes it if it has not begun."""

    serializer_class = OverrideSerializer
    permission_classes = (IsAdminOrReads,)
    lookup_value_regex = ID
    queryset = Override.objects.all()

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(schedule_id=self.kwargs["schedule_id"])

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self._schedule()
        return super().list(request, *args, **kwargs)

    @transaction.atomic
    def perform_create(self, serializer: Any) -> None:
        given = serializer.validated_data
        try:
            serializer.instance = rotas.stand_in(
                self._schedule(),
                given["user"],
                given["start"],
                given["end"],
                at=timezone.now(),
                actor=Actor.agent(agent_of(self.request)),
                reason=given.get("reason", ""),
            )
        except IntegrityError as error:
            raise ValidationError("Somebody else stands in during that time already.") from error
        self._note("created", serializer.instance, {})

    def _note(self, action: str, override: Override, before: dict[str, Any], pk: int | None = None) -> None:
        by = agent_of(self.request).pk
        audit.record(by, action, override, before, audit.stored(override), at=timezone.now(), thing_id=pk)

    @transaction.atomic
    def perform_destroy(self, instance: Override) -> None:
        before, pk = audit.stored(instance), instance.pk
        try:
            rota_editing.stand_down(instance, at=timezone.now(), actor=Actor.agent(agent_of(self.request)))
        except rota_editing.OverrideIsOver as error:
            raise ValidationError(str(error)) from error
        self._note("ended", instance, before, pk)

    def _schedule(self) -> Schedule:
        return get_object_or_404(Schedule.objects.all(), pk=self.kwargs["schedule_id"])


class OnCallNow(APIView):
    """Who would be called at this moment, schedule by schedule."""

    @extend_schema(responses={200: OnCallNowSerializer})
    def get(self, request: Request) -> Response:
        at = timezone.now()
        schedules = [_now(schedule, at) for schedule in Schedule.objects.all()]
        return Response(OnCallNowSerializer({"at": at, "schedules": schedules}).data)


def _slots(slots: Iterable[rota.Slot]) -> list[dict[str, Any]]:
    return [dict(SlotSerializer(slot).data) for slot in slots]


def _now(schedule: Schedule, at: datetime) -> dict[str, Any]:
    slots = rotas.timeline(schedule, at, at + rotas.LOOK_AHEAD)
    change = next(iter(rota.handoffs(slots)), None)
    person = rotas.on_call(schedule.pk, at)
    follower = None
    if change is not None:
        follower = User.objects.filter(pk=change.arriving).first() if change.arriving else schedule.fallback
    return {
        "id": schedule.pk,
        "name": schedule.name,
        "timezone": schedule.timezone,
        "on_call": person,
        "is_fallback": person.pk == schedule.fallback_id and slots[0].user != person.pk,
        "until": change.at if change else None,
        "next": follower,
    }
