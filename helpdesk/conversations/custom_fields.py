"""The company's own facts on conversations: what may stand in them, and which must before one is resolved.

When they must is said in `helpdesk.conversations.handling.change_status`, for everybody.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from helpdesk.conversations.models import CustomField

MAX_TEXT = 500
_LARGEST = Decimal(10) ** 15


class Unfit(ValueError):
    """What was typed does not fit the field; the text says why."""


def fields() -> list[CustomField]:
    return list(CustomField.objects.filter(is_active=True))


def given_in(data: Mapping[str, str], known: Iterable[CustomField]) -> dict[str, Any]:
    """The values a form sent as `custom_KEY`, None for emptied ones; what was not sent stays. Raises Unfit."""
    values = {}
    for field in known:
        typed = data.get(f"custom_{field.key}")
        if typed is not None and typed != data.get(f"was_custom_{field.key}"):
            values[field.key] = value_of(field, typed)
    return values


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Values by key as programs give them (text, number, true or false, None), in the one form. Raises Unfit."""
    known = CustomField.objects.in_bulk([str(key) for key in given], field_name="key")
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            raise Unfit(_("There is no custom field %(key)s.") % {"key": str(key)[:40]})
        if not isinstance(value, str | int | float | bool | None):
            raise Unfit(_("%(field)s: give a text, a number, true, false or null.") % {"field": known[key].name})
        typed = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        values[key] = value_of(known[key], typed)
    return values


def value_of(field: CustomField, typed: str) -> Any:
    """What is kept for what was typed: text, number, True or False, a date as YYYY-MM-DD; None for nothing."""
    typed = typed.strip()
    if not typed:
        return None
    if field.kind == CustomField.Kind.NUMBER:
        return _number(field, typed)
    if field.kind == CustomField.Kind.YES_NO:
        return typed.lower() in ("yes", "true", "1", "on")
    if field.kind == CustomField.Kind.DATE:
        try:
            return date.fromisoformat(typed).isoformat()
        except ValueError as error:
            raise Unfit(_("%(field)s: this is no date.") % {"field": field.name}) from error
    if field.kind == CustomField.Kind.CHOICE and typed not in field.choices:
        raise Unfit(_("%(field)s: choose one of the list.") % {"field": field.name})
    return typed[:MAX_TEXT]


def _number(field: CustomField, typed: str) -> int | float:
    try:
        number = Decimal(typed[:40].replace(",", "."))
    except InvalidOperation as error:
        raise Unfit(_("%(field)s: this is no number.") % {"field": field.name}) from error
    if not number.is_finite() or abs(number) > _LARGEST:
        raise Unfit(_("%(field)s: this is no number.") % {"field": field.name})
    return int(number) if number == number.to_integral_value() else float(number)


def missing(custom: Mapping[str, Any]) -> list[CustomField]:
    """The required fields that are empty. One statement."""
    required = CustomField.objects.filter(is_active=True, is_required=True)
    return [field for field in required if custom.get(field.key) in (None, "")]
