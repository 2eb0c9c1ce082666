"""How scores are called, the best one first."""

from typing import Final

from django.utils.translation import gettext_lazy, pgettext_lazy

WORDS: Final = {
    5: pgettext_lazy("a rating", "Very good"),
    4: pgettext_lazy("a rating", "Good"),
    3: pgettext_lazy("a rating", "All right"),
    2: pgettext_lazy("a rating", "Not good"),
    1: pgettext_lazy("a rating", "Bad"),
}
VIA: Final = {
    "mail": gettext_lazy("by mail"),
    "chat": gettext_lazy("in the chat"),
    "portal": gettext_lazy("in the portal"),
}
