"""What an agent writes into a quote: its fields, and its lines as texts until they are read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from quotes import money
from quotes.currencies import MINOR_UNITS
from quotes.drafting import MOST_LINES, BadQuote, Content, LineGiven

_NUMBER: Final = re.compile(r"(-?)([0-9]{1,13})(?:[.,]([0-9]{1,6}))?", re.ASCII)
_SPACES: Final = re.compile(r"[\s\u00a0\u202f]")
EMPTY_LINES: Final = 2


@dataclass(frozen=True, slots=True)
class Raw:
    """A line as it was typed; `wrong` says what is wrong with it."""

    text: str = ""
    quantity: str = ""
    unit_price: str = ""
    tax_rate: str = ""
    wrong: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() and not self.unit_price.strip()


class QuoteForm(forms.Form):
    title = forms.CharField(max_length=200, label=gettext_lazy("What it is about"))
    words = forms.CharField(
        required=False, max_length=10_000, label=gettext_lazy("What we do"), widget=forms.Textarea(attrs={"rows": 4})
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=[(code, code) for code in sorted(MINOR_UNITS)])
    tax_name = forms.CharField(required=False, max_length=40, label=gettext_lazy("What the tax is called"))
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    valid_until = forms.DateField(label=gettext_lazy("Valid until"), widget=forms.DateInput(attrs={"type": "date"}))
    deliver_by = forms.DateField(
        required=False, label=gettext_lazy("Done by"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("Once it is accepted, the conversation's clock ends on this day."),
    )  # fmt: skip
    remind_days = forms.IntegerField(
        min_value=0, max_value=60, label=gettext_lazy("Remind so many days before it ends"),
        help_text=gettext_lazy("0 for no reminder"),
    )  # fmt: skip
    terms = forms.CharField(
        required=False, max_length=10_000, label=gettext_lazy("Terms"), widget=forms.Textarea(attrs={"rows": 3})
    )
    offers_upgrade = forms.BooleanField(required=False, label=gettext_lazy("Offer the plan instead"))

    def __init__(self, *args: Any, offered: Content, **options: Any) -> None:
        """`offered` is what is there already: its plan is the one that can be offered beside."""
        self.offered = offered
        options["initial"] = {**_initial(offered), **options.get("initial", {})}
        super().__init__(*args, **{"use_required_attribute": False, **options})
        for name in ("valid_until", "deliver_by"):
            self.fields[name].widget.format = "%Y-%m-%d"
        if offered.upgrade_plan is None:
            del self.fields["offers_upgrade"]
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "" if isinstance(field, forms.BooleanField) else "in")

    def content(self, lines: Sequence[LineGiven]) -> Content:
        """What was given, checked by `drafting`."""
        given = dict(self.cleaned_data)
        offers = given.pop("offers_upgrade", False)
        plan = self.offered.upgrade_plan if offers else None
        return Content(
            **given,
            lines=lines,
            upgrade_plan=plan,
            upgrade_price=self.offered.upgrade_price if plan else "",
            upgrade_words=self.offered.upgrade_words if plan else "",
        )


def _initial(content: Content) -> dict[str, Any]:
    names = ("title", "words", "currency", "tax_name", "language", "valid_until", "deliver_by", "remind_days", "terms")
    return {**{name: getattr(content, name) for name in names}, "offers_upgrade": content.upgrade_plan is not None}


def raw_lines(given: QueryDict) -> list[Raw]:
    """The lines as they were sent, in their order; what is missing of one is empty."""
    columns = [given.getlist(name)[: MOST_LINES + 1] for name in ("text", "quantity", "price", "rate")]
    longest = max(map(len, columns))
    padded = [column + [""] * (longest - len(column)) for column in columns]
    return [Raw(*(value[:600] for value in row)) for row in zip(*padded, strict=True)]


def raw_of(content: Content) -> list[Raw]:
    return [
        Raw(
            one.text,
            money.plain(one.line.quantity),
            f"{money.rounded(one.line.unit_price, content.currency):f}",
            money.plain(one.line.tax_rate),
        )
        for one in content.lines
    ]


def read_lines(raw: Sequence[Raw]) -> list[LineGiven]:
    """The lines that say something. Raises BadQuote; `line` counts these alone, as `drafting` does."""
    filled = [one for one in raw if not one.is_empty]
    return [LineGiven(one.text, _line(one, place)) for place, one in enumerate(filled)]


def _line(raw: Raw, place: int) -> money.Line:
    quantity = _number(raw.quantity or "1", "quantity", place)
    price = _number(raw.unit_price, "unit_price", place)
    return money.Line(quantity, price, _number(raw.tax_rate or "0", "tax_rate", place))


def number_in(text: str) -> Decimal | None:
    """A number as people of either decimal mark write it, without marks between thousands; None for anything else."""
    match = _NUMBER.fullmatch(_SPACES.sub("", text))
    return None if match is None else Decimal(f"{match[1]}{match[2]}.{match[3] or '0'}")


def _number(text: str, field: str, place: int) -> Decimal:
    number = number_in(text)
    if number is None:
        words = _("“%(text)s” is no number we can read: write 1234.50 or 1234,50.") % {"text": text[:40]}
        raise BadQuote(words, field, place)
    return number
