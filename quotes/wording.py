"""How states and answers are called, and what colour a state has."""

from typing import Final

from django.utils.translation import pgettext_lazy

STATES: Final = {
    "draft": pgettext_lazy("a quote", "Draft"),
    "sent": pgettext_lazy("a quote", "Sent"),
    "accepted": pgettext_lazy("a quote", "Accepted"),
    "declined": pgettext_lazy("a quote", "Declined"),
    "expired": pgettext_lazy("a quote", "Expired"),
    "withdrawn": pgettext_lazy("a quote", "Withdrawn"),
}
TONES: Final = {"draft": "", "sent": "info", "accepted": "ok", "declined": "bad", "expired": "warn", "withdrawn": ""}
