"""What the status room knows of incidents, for rooms that talk with those whom they concern: asked by dotted string
(settings.INCIDENTS), since no room knows another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import Subquery
from django.http import HttpRequest
from django.utils.module_loading import import_string

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong now. `what` is broken (names of components), `says` the newest words about it; `is_own`:
    it certainly concerns the reader; `is_linked`: their conversation is told of how it goes on.
    """

    name: str
    what: str
    says: str
    url: str
    status: str
    is_own: bool = False
    is_linked: bool = False


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks from a page with our widget. Only of one who `is_verified` it is certain that they are `customer`."""

    customer: Customer | None
    is_verified: bool
    language: str


@dataclass(frozen=True, slots=True)
class Announced:
    """An update's words for everybody: its page, what it is part of (`series`) and what it is (`source`, once)."""

    text: str
    link: str
    series: str
    source: str
    is_outage: bool


class CannotAsk(Exception):
    """A visitor's wish to be told cannot be taken: the HTTP status and the JSON that say why."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("detail", "")))
        self.status, self.body = status, body


def _known(what: str) -> Any:
    return _imported(settings.INCIDENTS[what])


@cache
def _imported(dotted: str) -> Any:
    return import_string(dotted)


def of_conversation(conversation: Conversation) -> Sequence[Trouble]:
    """What goes on that this conversation is likely to be about, in the words of the language that is active."""
    found: Sequence[Trouble] = _known("of_conversation")(conversation)
    return found


def announced(update_id: int) -> Announced | None:
    """What is announced of an update on the networks; None for one that is not for everybody."""
    found: Announced | None = _known("announced")(update_id)
    return found


def of_form(service: str) -> Sequence[Trouble]:
    """What goes on that somebody should know before they write a ticket about `service` ("" where they do not say)."""
    found: Sequence[Trouble] = _known("of_form")(service)
    return found


def of_row() -> "Subquery[Any]":
    """For querysets of Conversation: the id of the incident that it belongs to."""
    found: Subquery[Any] = _known("of_row")()
    return found


def beside() -> str:
    """SQL: a conversation's incident as JSON; it refers to the conversation as `c`."""
    found: str = _known("beside")
    return found


def conversations() -> str:
    """SQL: the ids of an incident's conversations; it asks for `%(incident)s`, the incident's id."""
    found: str = _known("conversations")
    return found


def visitor_of(request: HttpRequest) -> Visitor | None:
    """Who asks from the widget; None where nobody has a session."""
    found: Visitor | None = _known("visitor")(request)
    return found


def ask(request: HttpRequest, incident: str, words: str, *, at: datetime) -> int:
    """The conversation in which the visitor is to be told of the incident with this id; begun with `words` where they
    have none. Raises CannotAsk.
    """
    found: int = _known("asks")(request, incident, words, at)
    return found


def name_of(public_id: str) -> str:
    """What an incident is called, "" where there is none with this id."""
    found: str = _known("named")(public_id)
    return found


def of_service(service_id: int, organization_id: int) -> Sequence[Trouble]:
    """What goes on with a service, private matters of the company included: ask only for somebody of it."""
    found: Sequence[Trouble] = _known("of_service")(service_id, organization_id)
    return found


def of_organization(organization_id: int | None) -> Sequence[Trouble]:
    """What goes on with a company's services, private matters included: ask only for somebody of it."""
    found: Sequence[Trouble] = _known("of_organization")(organization_id)
    return found
