"""`/api/v1/reports/`: the tables of the reports as JSON, with the filters of the page."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.conversations.models import Priority
from helpdesk.customers.permissions import agent_of
from helpdesk.desk.tables import Table
from tickets.reports import selection, tables
from tickets.reports.models import Measure
from tickets.reports.reading import PROMISED, Numbers
from tickets.reports.selection import BadSelection, Selection

FILTERS = [
    OpenApiParameter("period", str, enum=list(selection.periods()), description="The last 28 days where not said."),
    OpenApiParameter("from", OpenApiTypes.DATE, description="The first day, of the office."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="The last day, within."),
    OpenApiParameter("team", int, description="0 for conversations of no team."),
    OpenApiParameter("channel", str),
    OpenApiParameter("priority", str, enum=list(Priority.values)),
    OpenApiParameter("plan", int),
    OpenApiParameter("organization", int),
    OpenApiParameter("agent", int),
    OpenApiParameter("time", str, enum=["working", "wall"], description="Opening hours, or all hours."),
]


class TableSerializer(serializers.Serializer[dict[str, Any]]):
    """Rows have the columns' keys: times in seconds, shares from 0 to 1, null where nothing was counted."""

    title = serializers.CharField()
    columns = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    rows = serializers.ListField(child=serializers.DictField())


class TotalsSerializer(serializers.Serializer[dict[str, Any]]):
    new = serializers.IntegerField()
    resolved = serializers.IntegerField()
    first_response_median = serializers.IntegerField(allow_null=True, help_text="Seconds.")
    resolution_median = serializers.IntegerField(allow_null=True, help_text="Seconds.")
    kept = serializers.FloatField(allow_null=True, help_text="Promises kept, 0 to 1.")


class ReportSerializer(serializers.Serializer[dict[str, Any]]):
    start = serializers.DateField()
    end = serializers.DateField(help_text="Within.")
    backlog = serializers.IntegerField(help_text="Not resolved at the end.")
    totals = TotalsSerializer()
    before = TotalsSerializer(help_text="Of the same number of days just before.")
    tables = serializers.DictField(child=TableSerializer())


class Reports(APIView):
    """All tables of a period at once, with its totals and those of the period before."""

    @extend_schema(operation_id="reports_list", parameters=FILTERS, responses={200: ReportSerializer})
    def get(self, request: Request) -> Response:
        found = tables.report(_selection(request), agent_of(request))
        return Response(
            {
                "start": found.selection.start,
                "end": found.selection.end,
                "backlog": found.backlog,
                "totals": _totals(found.now),
                "before": _totals(found.before),
                "tables": {key: _table(table) for key, table in found.tables.items()},
            }
        )


class ReportTable(APIView):
    """One table of the reports."""

    @extend_schema(
        parameters=[OpenApiParameter("table", str, OpenApiParameter.PATH, enum=list(tables.KEYS)), *FILTERS],
        responses={200: TableSerializer},
    )
    def get(self, request: Request, table: str) -> Response:
        if table not in tables.KEYS:
            raise NotFound("There is no such table.")
        return Response(_table(tables.report(_selection(request), agent_of(request)).tables[table]))


def _selection(request: Request) -> Selection:
    try:
        return selection.parse(request.query_params.dict(), timezone.now())
    except BadSelection as error:
        raise ValidationError({error.field: [str(error)]}) from error


def _totals(numbers: Numbers) -> dict[str, Any]:
    return {
        "new": numbers.count(Measure.OPENED),
        "resolved": numbers.count(Measure.RESOLUTION),
        "first_response_median": numbers.time(Measure.FIRST_RESPONSE).median,
        "resolution_median": numbers.time(Measure.RESOLUTION).median,
        "kept": numbers.share(PROMISED),
    }


def _table(table: Table) -> dict[str, Any]:
    columns = [{"key": column.key, "title": column.title, "kind": column.kind} for column in table.columns]
    return {"title": table.title, "columns": columns, "rows": list(table.dicts())}
