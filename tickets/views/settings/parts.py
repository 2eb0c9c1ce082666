"""Forms with parts that repeat (layers of a schedule, steps of an escalation), also without JavaScript."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from helpdesk.desk.forms import SettingsForm, Words, dress
from helpdesk.desk.named import name_agents


class Part(forms.Form):
    """One of several alike. One left as it was offered, without anything entered, is no part."""

    remove = forms.BooleanField(required=False, label=_("Take it out"))

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_agents(self.fields)
        for one in self.fields.values():
            dress(one)

    def is_left_out(self) -> bool:
        return bool(self.cleaned_data.get("remove")) or (self.empty_permitted and not self.has_changed())

    def drawn(self) -> list[forms.BoundField]:
        """Its fields but the one that takes it out."""
        return [self[name] for name in self.fields if name != "remove"]


@dataclass(slots=True)
class Repeats:
    """Parts of one kind: `known` are the initial values of those the row has, `offered` those of a blank one."""

    prefix: str
    part: Callable[..., Part]
    known: list[dict[str, Any]]
    title: Words
    one: Words
    more: Mapping[str, Any] = field(default_factory=dict)
    offered: Mapping[str, Any] = field(default_factory=dict)
    most: int = 20
    parts: list[Part] = field(default_factory=list)

    @property
    def has_room(self) -> bool:
        return len(self.parts) < self.most

    def fill(self, data: Any) -> None:
        """Make the parts: those that were sent, else those the row has; the button `more` offers another blank one."""
        count = max(len(self.known), 1) if data is None else _count(data.get(f"{self.prefix}-parts"), self.most)
        wants_more = data is not None and data.get("more") == self.prefix and count < self.most
        for place in range(count + wants_more):
            is_known = place < len(self.known)
            self.parts.append(
                self.part(
                    data if place < count else None,
                    prefix=f"{self.prefix}{place}",
                    initial=self.known[place] if is_known else dict(self.offered),
                    empty_permitted=not is_known,
                    **self.more,
                )
            )

    def bound(self) -> list[Part]:
        return [part for part in self.parts if part.is_bound]


class Repeating(SettingsForm):
    """A form that says in `repeat` which parts it has."""

    def __init__(self, request: HttpRequest, found: Any = None, data: Any = None, files: Any = None, **more: Any):
        super().__init__(request, found, data, files, **more)
        self.repeated = {one.prefix: one for one in self.repeat()}
        for one in self.repeated.values():
            one.fill(data)

    def repeat(self) -> list[Repeats]:
        raise NotImplementedError

    def is_valid(self) -> bool:
        # The parts first: the whole is checked with what they hold.
        parts = [part.is_valid() for one in self.repeated.values() for part in one.bound()]
        return super().is_valid() and all(parts)

    def given(self, prefix: str) -> list[dict[str, Any]]:
        """What the parts hold, those left out not counted; nothing where one of them is wrong."""
        bound = self.repeated[prefix].bound()
        if not all(part.is_valid() for part in bound):
            return []
        return [part.cleaned_data for part in bound if not part.is_left_out()]

    def problems(self) -> list[tuple[str, str, str]]:
        found = super().problems()
        for one in self.repeated.values():
            for number, part in enumerate(one.parts, start=1):
                where = f"{one.one} {number}"
                found += [("", where, str(error)) for error in part.non_field_errors()]
                found += [(bound.auto_id, f"{where}, {bound.label}", str(e)) for bound in part for e in bound.errors]
        return found


def _count(text: Any, most: int) -> int:
    given = str(text)
    return min(max(int(given) if given.isascii() and given.isdecimal() and len(given) < 4 else 1, 1), most)
