"""Texts cut to what a network takes, and what codes of this room are called."""

from collections.abc import Callable
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PRIVATE: Final[dict[str, Promise]] = {
    "email": _("an e-mail address"),
    "phone": _("a phone number"),
    "password": _("a password"),
    "key": _("a key"),
    "login": _("a login"),
    "number": _("a customer's or ticket number"),
    "address": _("a street address"),
    "card": _("a card number"),
    "iban": _("an account number (IBAN)"),
    "ip": _("an IP address"),
    "name": _("the name of a customer's server or site"),
}
KINDS: Final[dict[str, Promise]] = {
    "hide": _("Hide"),
    "unhide": _("Show again"),
    "mute": _("Mute"),
    "unmute": _("No longer mute"),
    "block": _("Block"),
    "unblock": _("No longer block"),
    "report": _("Report"),
    "delete": _("Delete"),
}
REASONS: Final[dict[str, Promise]] = {
    "abuse": _("Insults or harassment"),
    "threat": _("Threat"),
    "hate": _("Hate"),
    "spam": _("Spam"),
    "private_data": _("Private data"),
    "illegal": _("Against the law"),
    "mistake": _("It was a mistake"),
    "appeal": _("They asked us to look again"),
}
_ENDS: Final = ".,;:–- "


def shortened(text: str, link: str, limit: int, length: Callable[[str], int]) -> str:
    """The text and its link in one post; what is too long ends in an ellipsis, behind a whole word where there is one.
    `length` counts as the network does.
    """
    tail = f"\n{link}" if link and link not in text else ""
    if length(text + tail) <= limit:
        return text + tail
    # What is far too long need not be counted.
    begin = text[: limit * 4]
    fits, too_much = 0, len(begin) + 1
    while too_much - fits > 1:
        middle = (fits + too_much) // 2
        if length(_ended(begin[:middle]) + tail) <= limit:
            fits = middle
        else:
            too_much = middle
    space = begin.rfind(" ", 0, fits + 1)
    # Languages without spaces, and one endless word, are cut where they have to be.
    return _ended(begin[: space if space > fits // 2 else fits]) + tail


def _ended(text: str) -> str:
    return text.rstrip(_ENDS) + "…"


def private_kind(kind: str) -> str:
    """What a kind of `helpdesk.events.private_data` is called."""
    return str(PRIVATE.get(kind, kind))
