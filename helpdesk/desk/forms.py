"""What every settings form can: drawn in sections by one macro, checked by the API's own serializer, saved once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rest_framework import serializers

from helpdesk.desk.named import name_agents

Words = str | Promise
Sections = tuple[tuple[Words, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a form; `fields` are drawn in this order."""

    title: Words
    fields: list[forms.BoundField]


class Refused(ValueError):
    """What was given cannot be saved; `field` is what to change, "" the whole."""

    def __init__(self, words: Words, field: str = "") -> None:
        super().__init__(words)
        self.words, self.field = words, field


class SettingsForm(forms.Form):
    """A form over one row, `found`, new where None.

    `sections` names the fields of each titled part; without it there is one part. A subclass says what a row looks like
    in the form (`values`) and how it is written (`write`).
    """

    sections: ClassVar[Sections] = ()
    # A secret that saving made: it is shown now and never again.
    shown_once = ""

    def __init__(self, request: HttpRequest, found: Any = None, data: Any = None, files: Any = None, **more: Any):
        self.request, self.found = request, found
        self.prepare()
        initial = {**self.values(found), **more.pop("initial", {})}
        super().__init__(data, files, initial=initial, use_required_attribute=False, **more)
        self.arrange()
        name_agents(self.fields)
        for field in self.fields.values():
            dress(field)

    def prepare(self) -> None:
        """Before anything else is done."""

    def values(self, found: Any) -> dict[str, Any]:
        """The row as initial values."""
        if not isinstance(found, Model):
            return {}
        return {name: getattr(found, name) for name in self.base_fields if hasattr(found, name)}

    def arrange(self) -> None:
        """Fields that depend on the row or on who asks."""

    def parts(self) -> list[Section]:
        """What is drawn, hidden fields left out."""
        named = self.sections or (("", tuple(self.fields)),)
        return [Section(title, [self[name] for name in names if name in self.fields]) for title, names in named]

    def problems(self) -> list[tuple[str, str, str]]:
        """For the summary on top: the field's id, its label, what is wrong with it."""
        found = [("", "", str(error)) for error in self.non_field_errors()]
        for bound in self:
            found += [(bound.auto_id, str(bound.label), str(error)) for error in bound.errors]
        return found

    def save(self, *, at: datetime) -> Any:
        """The row as saved; None where it was refused, with the reason among the errors. The caller's transaction must
        be rolled back then.
        """
        try:
            return self.write(at=at)
        except Refused as error:
            self.add_error(error.field if error.field in self.fields else None, str(error.words))
        except serializers.ValidationError as error:
            self.take_errors(error.detail)
        return None

    def write(self, *, at: datetime) -> Any:
        """Raises Refused or the serializers' ValidationError."""
        raise NotImplementedError

    def take_errors(self, detail: Any) -> None:
        """A serializer's errors on the fields of the same name, the rest on top."""
        for name, words in _flat(detail):
            self.add_error(name if name in self.fields else None, words)


class SerialForm(SettingsForm):
    """Checked and written by the API's serializer, so that pages and API never disagree."""

    serializer: ClassVar[type[serializers.BaseSerializer[Any]]]

    def values(self, found: Any) -> dict[str, Any]:
        if found is None:
            return {}
        return dict(self.serializer(found, context={"request": self.request}).data)

    def payload(self) -> dict[str, Any]:
        """What the serializer is given."""
        return {name: _plain(value) for name, value in self.cleaned_data.items()}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            self._checked = self.serializer(self.found, data=self.payload(), context={"request": self.request})
            if not self._checked.is_valid():
                self.take_errors(self._checked.errors)
        return cleaned

    def write(self, *, at: datetime) -> Any:
        return self._checked.save()


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, (list, QuerySet)):
        return [_plain(one) for one in value]
    return value


def _flat(detail: Any, name: str = "", depth: int = 4) -> Iterable[tuple[str, str]]:
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from _flat(value, name or str(key), depth - 1)
    elif isinstance(detail, (list, tuple)):
        for value in detail:
            yield from _flat(value, name, depth - 1)
    else:
        yield name, str(detail)


# What Django puts where nothing is chosen.
DASHES = "-" * 9


def dress(field: forms.Field) -> None:
    """The classes and attributes our stylesheet and the browsers expect."""
    widget = field.widget
    if isinstance(field, forms.ModelChoiceField) and field.empty_label == DASHES:
        field.empty_label = _("Choose …") if field.required else _("None")
    if isinstance(widget, (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect)):
        return
    widget.attrs.setdefault("class", "in")
    if isinstance(widget, forms.Textarea):
        widget.attrs.pop("cols", None)
