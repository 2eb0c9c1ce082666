"""Words of the portal that depend on data, in the language that is active."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from helpdesk.conversations.models import Status

TONES = {
    Status.NEW: "info",
    Status.OPEN: "info",
    Status.PENDING: "warn",
    Status.ON_HOLD: "",
    Status.RESOLVED: "ok",
    Status.CLOSED: "ok",
}
# The filter's choices: what each takes in.
STATES = {
    "open": (Status.NEW, Status.OPEN, Status.ON_HOLD, Status.PENDING),
    "yours": (Status.PENDING,),
    "done": (Status.RESOLVED, Status.CLOSED),
}


def pages() -> dict[str, str]:
    """What the pages in the menu are called, by the names in settings.PORTAL_PAGES."""
    return {
        "conversations": _("Tickets"),
        "services": _("Services"),
        "plan": _("Plan"),
        "chats": _("Chats"),
        "quotes": _("Quotes"),
        "account": _("Account"),
    }


def states() -> dict[str, str]:
    return {"open": _("Open"), "yours": _("Waiting for you"), "done": _("Solved")}


def status(code: str) -> str:
    """A conversation's state as its customer sees it."""
    words = {
        Status.NEW: pgettext("state of a ticket", "Received"),
        Status.OPEN: pgettext("state of a ticket", "In progress"),
        Status.PENDING: _("Waiting for you"),
        Status.ON_HOLD: _("On hold"),
        Status.RESOLVED: _("Solved"),
        Status.CLOSED: pgettext("state of a ticket", "Closed"),
    }
    return words[Status(code)]


def tone(code: str) -> str:
    return TONES[Status(code)]


def handle(code: str, known_as: str) -> str:
    """How they are known there: of a dashboard's users the id alone, not by which widget they came."""
    return known_as.partition(":")[2] if code == "site" else known_as


def priority(code: str) -> str:
    return {"urgent": _("Urgent"), "high": _("High"), "normal": _("Normal"), "low": _("Low")}[code]


def session(how: str) -> str:
    """How somebody signed in."""
    return {
        "link": _("by a mailed link"),
        "code": _("by a mailed code"),
        "password": _("by password"),
        "oidc": _("by single sign-on"),
        "signed": _("from your dashboard"),
    }[how]


def service(kind: str) -> str:
    return {"cluster": _("Cluster"), "server": _("Server"), "website": _("Website")}[kind]


def booking(state: str) -> str:
    return {
        "booked": _("Agreed"),
        "cancelled": pgettext("a booked chat", "Cancelled"),
        "held": pgettext("a booked chat", "Held"),
        "missed": pgettext("a booked chat", "Missed"),
    }[state]
