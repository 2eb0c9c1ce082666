"""`/api/v1/calendars/` and `/api/v1/policies/`."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.customers.api_configured import Configured
from helpdesk.customers.api_multipart import BoundedMultiPartParser
from helpdesk.sla.holiday_serializers import ICalFileSerializer, ICalTextSerializer, ImportedSerializer
from helpdesk.sla.models import Calendar, Policy
from helpdesk.sla.serializers import CalendarSerializer, HolidayImportSerializer, PolicySerializer


class CalendarViewSet(Configured):
    """Opening hours in an IANA zone, with holidays. Open clocks follow every change."""

    queryset = Calendar.objects.prefetch_related("holidays__feed")
    serializer_class = CalendarSerializer

    @extend_schema(request=HolidayImportSerializer, responses={200: CalendarSerializer})
    @action(detail=True, methods=["post"], url_path="holiday-imports")
    def holiday_imports(self, request: Request, pk: str) -> Response:
        """Copy a country's public holidays into the calendar. Again, they are renewed."""
        given = HolidayImportSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        calendar = self.get_object()
        with self._noted(calendar):
            calendar = given.save(calendar=calendar)
        return Response(CalendarSerializer(calendar).data)

    @extend_schema(
        request={"application/json": ICalTextSerializer, "multipart/form-data": ICalFileSerializer},
        responses={200: ImportedSerializer},
    )
    @action(
        detail=True,
        methods=["post"],
        url_path="holidays/import",
        parser_classes=[*APIView.parser_classes, BoundedMultiPartParser],
    )
    def import_holidays(self, request: Request, pk: str) -> Response:
        """Close on the all-day events of an iCal text, or of a file (multipart/form-data). The same name again replaces
        what it brought before.
        """
        is_form = isinstance(request.data, QueryDict)
        serializer = ICalFileSerializer if is_form else ICalTextSerializer
        given = serializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        calendar = self.get_object()
        with self._noted(calendar):
            imported = given.save(calendar=calendar)
        return Response(ImportedSerializer(imported).data)

    @contextmanager
    def _noted(self, calendar: Calendar) -> Iterator[None]:
        with transaction.atomic():
            before = self._shown(calendar)
            yield
            self.note("changed", calendar, before, self._shown(calendar))


class PolicyViewSet(Configured):
    """What is promised for which priority, counted on which calendar."""

    queryset = Policy.objects.prefetch_related("goals")
    serializer_class = PolicySerializer
