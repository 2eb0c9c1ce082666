"""What lists of conversations can be filtered by."""

from datetime import datetime
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from rest_framework import exceptions

from helpdesk.conversations import incidents, search
from helpdesk.conversations.models import Conversation, Priority, Status
from helpdesk.customers import api_fields
from helpdesk.customers.models import Service
from helpdesk.numbers import is_number

Rows = QuerySet[Conversation, dict[str, Any]]
NOBODY = "none"
MAX_NAME = 320
YEARS = range(1900, 2201)


class OneOrMore(forms.SelectMultiple):
    """`status=new&status=open` and `status=new,open` are the same."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        given = data.getlist(name) if hasattr(data, "getlist") else [data[name]] if name in data else []
        return [part for value in given[:20] for part in value.split(",")[:20] if part]


def _sensible(at: datetime) -> None:
    if at.year not in YEARS:
        raise ValidationError(f"Between {YEARS[0]} and {YEARS[-1]}, please.")


class Choices(django_filters.MultipleChoiceFilter):  # type: ignore[misc]
    def __init__(self, choices: Any) -> None:
        # The default, DISTINCT, would sort every match for a page of fifty; one column matches a row once anyway.
        super().__init__(choices=choices, widget=OneOrMore, distinct=False)


class Name(django_filters.CharFilter):  # type: ignore[misc]
    def __init__(self, method: str, help_text: str) -> None:
        super().__init__(method=method, max_length=MAX_NAME, help_text=help_text)


class ConversationFilters(django_filters.FilterSet):  # type: ignore[misc]
    status = Choices(Status.choices)
    priority = Choices(Priority.choices)
    channel = django_filters.CharFilter(max_length=20)
    assignee = Name("by_assignee", "An agent's id or address, `me` or `none`.")
    team = Name("by_team", "A team's id or name, or `none`.")
    customer = Name("by_customer", "A customer's id or address.")
    organization = Name("by_organization", "An organization's id or name.")
    tag = Name("by_tag", "A tag's name.")
    service = Name("by_service", "A service's id or name.")
    incident = Name("by_incident", "An incident's id: the conversations that belong to it.")
    q = django_filters.CharFilter(
        method="by_words", max_length=search.MAX_QUERY, help_text="A number, or words of subject or messages."
    )
    updated_since = django_filters.IsoDateTimeFilter(
        field_name="updated_at", lookup_expr="gte", validators=[_sensible], help_text="ISO 8601."
    )

    def by_assignee(self, rows: Rows, name: str, value: str) -> Rows:
        if value == "me":
            return rows.filter(assignee=self.request.user)
        return _by(rows, "assignee", value, "email")

    def by_team(self, rows: Rows, name: str, value: str) -> Rows:
        return _by(rows, "team", value, "name")

    def by_customer(self, rows: Rows, name: str, value: str) -> Rows:
        if is_number(value):
            return rows.filter(customer=int(value))
        return rows.filter(customer__identities__channel="email", customer__identities__handle=value.strip().lower())

    def by_organization(self, rows: Rows, name: str, value: str) -> Rows:
        return _by(rows, "organization", value, "name")

    def by_tag(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(tags__name=value.strip().lower())

    def by_service(self, rows: Rows, name: str, value: str) -> Rows:
        meant = Service.objects.filter(api_fields.matching(value, "name"), conversations=OuterRef("pk"))
        return rows.filter(Exists(meant))

    def by_incident(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(pk__in=RawSQL(incidents.conversations() % {"incident": "%s"}, [value]))

    def by_words(self, rows: Rows, name: str, value: str) -> Rows:
        try:
            return rows.filter(pk__in=search.numbers(value, self.request.user))
        except search.TooCommon as error:
            raise exceptions.ValidationError({name: ["Too many have these words: say more."]}) from error


def _by(rows: Rows, relation: str, value: str, name_field: str) -> Rows:
    if value == NOBODY:
        return rows.filter(**{relation: None})
    if is_number(value):
        return rows.filter(**{relation: int(value)})
    return rows.filter(Q(**{f"{relation}__{name_field}__iexact": value.strip()}))
