"""Fields the API shares: rows named by id or by name, time zones, and ids in addresses."""

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django.db.models import Model, Q, QuerySet
from django.urls.converters import IntConverter
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from helpdesk.numbers import is_number

# Longer ones are no id of ours, and a route that does not match is a plain 404.
ID = "[0-9]{1,18}"
_ID_OR_NAME = {"oneOf": [{"type": "integer"}, {"type": "string"}]}


class IdConverter(IntConverter):
    """An id in an address; a longer number is no address of ours."""

    regex = ID


def matching(reference: int | str, name_field: str) -> Q:
    """Rows meant by an id, a number in a string, or a name in any case."""
    if isinstance(reference, str) and not is_number(reference):
        return Q(**{f"{name_field}__iexact": reference.strip()})
    return Q(pk=int(reference))


def validated(shape: serializers.Serializer[Any], data: object) -> Any:
    """What a serializer like `shape` makes of `data`; its fields are built once, not for every request, which takes
    longer than using them. (The framework itself uses one serializer for all items of a list.) Raises ValidationError.
    """
    if data is None:
        type(shape)(data=None).is_valid(raise_exception=True)  # says that nothing was given
    return shape.run_validation(data)


class WholeMixin:
    """A serializer within another one: a part of what is given is whole, also where the rest is only patched."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        given: Any = self
        if given.root is given or data is serializers.empty:
            return super().run_validation(data)  # type: ignore[misc]
        alone = type(given)(data=data, context=given.context)
        alone.is_valid(raise_exception=True)
        return alone.validated_data


@extend_schema_field(_ID_OR_NAME)
class Reference(serializers.Field[int | str, object, int | str, Any]):
    """An id or a name, not looked up yet."""

    default_error_messages = {"invalid": gettext_lazy("Give an id or a name.")}

    def to_internal_value(self, data: object) -> int | str:
        if isinstance(data, bool) or not isinstance(data, (int, str)) or not str(data).strip() or len(str(data)) > 320:
            self.fail("invalid")
        return data

    def to_representation(self, value: int | str) -> int | str:
        return value


@extend_schema_field(_ID_OR_NAME)
class IdOrName(serializers.RelatedField[Model, object, Any]):
    """A row by its id or its name; shown as its id."""

    default_error_messages = {
        "unknown": gettext_lazy("There is no such one: {given}."),
        "invalid": gettext_lazy("Give an id or a name."),
    }

    def __init__(self, *, name_field: str, queryset: QuerySet[Any], **options: Any) -> None:
        self.name_field = name_field
        super().__init__(queryset=queryset, **options)

    def use_pk_only_optimization(self) -> bool:
        return True

    def to_internal_value(self, data: object) -> Model:
        reference = Reference().run_validation(data)
        rows = self.get_queryset()
        assert rows is not None, "a field that is written has a queryset"
        found: Model | None = rows.filter(matching(reference, self.name_field)).first()
        if found is None:
            self.fail("unknown", given=str(reference)[:80])
        return found

    def to_representation(self, value: Any) -> int | None:
        # Rows read as plain values hold the id itself.
        found: int | None = getattr(value, "pk", value)
        return found


class TimeZone(serializers.CharField):
    """An IANA zone with rules of its own: Area/City, or UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=60, **options)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        # Abbreviations such as CET mean different things to different libraries.
        if name and name != "UTC" and ("/" not in name or name not in _known_zones()):
            raise serializers.ValidationError(_("This is not a time zone such as Europe/Berlin."))
        return name


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())
