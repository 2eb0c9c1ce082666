"""Fields that name rows there may be thousands of: a text with suggestions, in place of a list of them all."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.db.models import Model, QuerySet
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from helpdesk.customers.agents import are_many
from helpdesk.customers.models import User
from helpdesk.numbers import is_number

# Without a script; with one the server is asked while one types, for these kinds of rows.
SUGGESTED: Final = 200
SEARCHED: Final = ("service", "organization", "user")
MOST_NAMED: Final = 500
_TOLD: Final = 5


class NameInput(forms.TextInput):
    """A text whose suggestions stand beside it under the field's own id (templates/desk/settings/_fields.jinja)."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        attrs = {**(attrs or {}), "autocomplete": "off", "spellcheck": "false"}
        if "id" in attrs:
            attrs["list"] = f"{attrs['id']}_list"
        return super().get_context(name, value, attrs)


class NamesInput(forms.Textarea):
    """Several, one a line."""


def _searched(rows: QuerySet[Any]) -> dict[str, Any]:
    """Where a script asks for names while one types (static/js/names.js)."""
    kind = rows.model._meta.model_name
    return {"data-names": reverse_lazy(f"tickets:{kind}_names")} if kind in SEARCHED else {}


class _Named(forms.CharField):
    """What both kinds know: rows by their name in `column`, by its beginning, or as `#12` by their number."""

    def __init__(self, rows: QuerySet[Any], *, column: str = "name", **options: Any) -> None:
        self.rows, self.column = rows, column
        super().__init__(max_length=200_000, **options)

    def suggestions(self) -> Sequence[str]:
        return list(self.rows.order_by(self.column).values_list(self.column, flat=True)[:SUGGESTED])

    def written(self, keys: Sequence[Any]) -> list[str]:
        """How rows are written: by name, where others have the same name by number."""
        rows = list(self.rows.filter(pk__in=[getattr(key, "pk", key) for key in keys]).order_by(self.column, "pk"))
        names = [str(getattr(row, self.column)) for row in rows]
        same = self.rows.filter(**{f"{self.column}__in": names}).values_list(self.column, flat=True)
        counts = {name: list(same).count(name) for name in names}
        return [name if counts[name] == 1 else f"#{row.pk}" for row, name in zip(rows, names, strict=True)]

    def found(self, word: str) -> Model:
        """The row meant by a word. Raises ValidationError."""
        number = word.removeprefix("#")
        if word.startswith("#") and is_number(number):
            row: Model | None = self.rows.filter(pk=int(number)).first()
            if row is not None:
                return row
            raise forms.ValidationError(_("There is nothing called “%(word)s”."), params={"word": word[:80]})
        for way in ("iexact", "istartswith"):
            rows = list(self.rows.filter(**{f"{self.column}__{way}": word}).order_by("pk")[: _TOLD + 1])
            if len(rows) == 1:
                (row,) = rows
                return row
            if rows:
                told = ", ".join(f"{getattr(one, self.column)} #{one.pk}" for one in rows[:_TOLD])
                words = _("“%(word)s” may be several: %(several)s. Write the number with #.")
                raise forms.ValidationError(words, params={"word": word[:80], "several": told})
        raise forms.ValidationError(_("There is nothing called “%(word)s”."), params={"word": word[:80]})


class NamedField(_Named):
    """One row, or None."""

    widget = NameInput

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), **_searched(self.rows)}

    def prepare_value(self, value: Any) -> Any:
        # What was typed stays as it was; rows and their keys are written.
        if isinstance(value, str):
            value = int(value[1:]) if value.startswith("#") and is_number(value[1:]) else value
        return next(iter(self.written([value])), "") if isinstance(value, (int, Model)) else value

    def clean(self, value: Any) -> Any:
        word = " ".join(str(super().clean(value)).split())
        return self.found(word) if word else None


class NamedManyField(_Named):
    """Several rows, one a line."""

    widget = NamesInput

    def __init__(self, rows: QuerySet[Any], **options: Any) -> None:
        super().__init__(rows, widget=NamesInput(attrs={"rows": 4, "spellcheck": "false"}), **options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), **_searched(self.rows)}

    def suggestions(self) -> Sequence[str]:
        return ()

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(self.written(list(value))) if isinstance(value, (list, tuple, QuerySet)) else value

    def clean(self, value: Any) -> list[Any]:
        words = dict.fromkeys(filter(None, (" ".join(line.split()) for line in str(super().clean(value)).splitlines())))
        if len(words) > MOST_NAMED:
            raise forms.ValidationError(_("At most %(most)s."), params={"most": MOST_NAMED})
        return list(dict.fromkeys(self.found(word) for word in words))


def name_agents(drawn: dict[str, forms.Field]) -> None:
    """Fields that list agents become fields that name them, where there are too many to list."""
    listing = {name: field for name, field in drawn.items() if isinstance(field, forms.ModelChoiceField)}
    listing = {name: field for name, field in listing.items() if _rows(field).model is User}
    if not listing or not are_many():
        return
    for name, field in listing.items():
        kind = NamedManyField if isinstance(field, forms.ModelMultipleChoiceField) else NamedField
        options: dict[str, Any] = {"label": field.label, "required": field.required, "help_text": field.help_text}
        drawn[name] = kind(_rows(field), **options)


def _rows(field: "forms.ModelChoiceField[Any]") -> QuerySet[Any]:
    assert field.queryset is not None
    return field.queryset
