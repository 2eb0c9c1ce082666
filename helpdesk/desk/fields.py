"""Fields the settings' forms share: lists as lines, times of opening as people write them, zones."""

import re
from functools import lru_cache
from typing import Any, Final
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

MOST_LINES: Final = 200
_DURATION: Final = re.compile(r"(?:(\d{1,5})\s*h(?:ours?)?)?\s*(?:(\d{1,7})\s*m(?:in(?:utes?)?)?)?", re.IGNORECASE)
_LONGEST_MINUTES: Final = 3650 * 1440


class LinesField(forms.CharField):
    """Several short texts, one a line (or separated by commas); a list."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 40_000)
        super().__init__(**{"widget": forms.Textarea(attrs={"rows": 3}), **options})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, (list, tuple)) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        return [line.strip() for line in re.split(r"[\n,]", text) if line.strip()]

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        if len(value) > MOST_LINES:
            raise forms.ValidationError(
                ngettext("At most %(most)s line.", "At most %(most)s lines.", MOST_LINES) % {"most": MOST_LINES}
            )

    def run_validators(self, value: Any) -> None:
        super().run_validators("\n".join(value))


class DurationField(forms.CharField):
    """Minutes, written as `30 min`, `4 h`, `1 h 30 min` or a bare number of minutes; None where empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, **options)

    def prepare_value(self, value: Any) -> Any:
        return written(value) if isinstance(value, (int, float)) else value

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").strip()
        if not text:
            return None
        if text.isascii() and text.isdecimal() and len(text) <= 7:
            minutes = int(text)
        else:
            match = _DURATION.fullmatch(text)
            if match is None:
                raise forms.ValidationError(_("Write a time such as 30 min, 4 h or 1 h 30 min."))
            minutes = int(match.group(1) or 0) * 60 + int(match.group(2) or 0)
        if not 1 <= minutes <= _LONGEST_MINUTES:
            raise forms.ValidationError(_("Write a time between one minute and ten years."))
        return minutes

    def validate(self, value: Any) -> None:
        if self.required and value is None:
            raise forms.ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        super().run_validators("" if value is None else str(value))


def written(minutes: float) -> str:
    """Minutes as `DurationField` reads them."""
    hours, rest = divmod(round(minutes), 60)
    parts = [f"{hours} h" if hours else "", f"{rest} min" if rest else ""]
    return " ".join(part for part in parts if part)


def zone_field(**options: Any) -> forms.CharField:
    """An IANA zone: a text with suggestions, because a list of 600 is no help."""
    attrs = {"list": "zones", "autocomplete": "off", "spellcheck": "false"}
    widget = forms.TextInput(attrs=attrs)
    return forms.CharField(**{"label": _("Time zone"), "max_length": 60, "widget": widget, **options})


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """Zones with rules of their own, for suggestions."""
    return tuple(sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))
