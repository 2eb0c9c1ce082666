"""What codes of the model are called on the desk, and small things said the same way everywhere."""

import re
from functools import cache

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from helpdesk.conversations.channel_names import channel_names

HUES = 12


def initials(name: str) -> str:
    words = [word for word in re.split(r"[\s@._-]+", name[:80]) if word[:1].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def hue(number: int) -> int:
    """One of the avatar colours of desk.css, always the same for the same person."""
    return number * 5 % HUES


class _Names(dict[str, str]):
    """What codes of one kind are called; an unknown one is called as it is."""

    def __missing__(self, code: str) -> str:
        return code.capitalize()


@cache
def labels(language: str | None) -> dict[str, _Names]:
    """What the codes of each kind (verb, target, priority, status, channel) are called in one language.

    Looked up once: a queue of fifty rows asks for hundreds.
    """
    names = {
        "verb": {  # what has to be done until a clock is due
            "dispatch": _("Take"),
            "first_response": _("First reply"),
            "next_response": _("Reply"),
            "resolution": _("Solve"),
        },
        "target": {
            "dispatch": _("Dispatch"),
            "first_response": _("First response"),
            "next_response": _("Next response"),
            "resolution": _("Resolution"),
        },
        "priority": {"urgent": _("Urgent"), "high": _("High"), "normal": _("Normal"), "low": _("Low")},
        "status": {
            "new": _("New"),
            "open": _("Open"),
            "pending": _("Waiting for customer"),
            "on_hold": _("On hold"),
            "resolved": _("Resolved"),
            "closed": _("Closed"),
        },
        "channel": channel_names(),
    }
    return {kind: _Names(of) for kind, of in names.items()}


def target_name(target: str) -> str:
    return labels(get_language())["target"][target]


def priority_name(priority: str) -> str:
    return labels(get_language())["priority"][priority]


def status_name(status: str) -> str:
    return labels(get_language())["status"][status]


def channel_name(channel: str) -> str:
    return labels(get_language())["channel"][channel]


_ICONS = {"email": "mail", "form": "globe", "api": "code", "chat": "message-square", "phone": "phone", "portal": "user"}


def channel_icon(channel: str) -> str:
    """The name of a channel's picture in the sprite."""
    return _ICONS.get(channel, "message-square")
