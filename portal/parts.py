"""What other rooms have in the portal: pages in its menu (settings.PORTAL_PAGES), parts of its pages
(settings.PORTAL_PARTS).

No room knows another; both tables hold dotted strings and names of addresses.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string

from helpdesk.customers.models import Customer
from portal import wording


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the menu."""

    name: str
    title: str
    icon: str
    url: str


def menu(customer: Customer) -> list[Entry]:
    """The customer's pages: our own, and those of other rooms."""
    return [Entry(name, wording.pages()[name], icon, reverse(address)) for name, icon, address in settings.PORTAL_PAGES]


def beside_conversation(request: Any, conversation: Any, customer: Customer, *, at: datetime) -> list[str]:
    """What rooms show with a conversation: a question how it was, quotes. Safe HTML, or nothing."""
    drawn = [import_string(dotted)(request, conversation, customer, at) for dotted in settings.PORTAL_PARTS]
    return [one for one in drawn if one]
