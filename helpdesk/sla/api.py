"""`/api/v1/calendars/` and `/api/v1/policies/`."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.customers.api_configured import Configured
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
        calendar = given.save(calendar=self.get_object())
        return Response(CalendarSerializer(calendar).data)


class PolicyViewSet(Configured):
    """What is promised for which priority, counted on which calendar."""

    queryset = Policy.objects.prefetch_related("goals")
    serializer_class = PolicySerializer
