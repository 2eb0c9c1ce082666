"""Texts with places to fill in: `Hello {{ customer.first_name|there }}`. No template engine touches what people write.

A place is a name of VARIABLES and perhaps what to say where there is nothing to fill in. Anything else in braces is
refused when a text is saved, and stays as it is when one is filled in: a customer must see a strange text rather than
nothing, and an agent must see that something is wrong.
"""

import re
from collections.abc import Mapping
from typing import Final

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from helpdesk.events.safe_text import one_line

# Bounded, and every part has its own characters: no input makes it look twice.
_PLACE: Final = re.compile(r"\{\{ {0,3}([a-z_.]{1,40}) {0,3}(?:\|([^{}|\n]{0,100}))?\}\}")
_BRACES: Final = re.compile(r"\{\{[^{}\n]{0,160}\}{0,2}")
LONGEST_VALUE = 300
VARIABLES: Final = (
    "customer.first_name",
    "customer.name",
    "customer.email",
    "conversation.number",
    "conversation.subject",
    "agent.first_name",
    "agent.name",
    "organization.name",
)


class UnknownVariable(ValueError):
    """A text holds braces that mean nothing; `args[0]` are they."""


def check(text: str) -> str:
    """The text as it is. Raises UnknownVariable."""
    rest = _PLACE.sub(lambda found: "" if found.group(1) in VARIABLES else found.group(), text)
    strange = _BRACES.search(rest)
    if strange is not None:
        raise UnknownVariable(one_line(strange.group(), 60))
    return text


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its places filled in, once: what is filled in is never looked at again."""

    def filled(found: re.Match[str]) -> str:
        name, otherwise = found.group(1), found.group(2)
        if name not in VARIABLES:
            return found.group()
        return values.get(name, "") or (otherwise or "").strip()

    return _PLACE.sub(filled, text)


def values_of(conversation: Conversation, agent: User | None) -> dict[str, str]:
    """What the places mean in this conversation; the agent's are empty where the house itself writes."""
    customer, organization = conversation.customer, conversation.organization
    raw = {
        "customer.first_name": first_name(customer.name),
        "customer.name": customer.name,
        "customer.email": customer.email,
        "conversation.number": str(conversation.number),
        "conversation.subject": conversation.subject,
        "agent.first_name": first_name(agent.name) if agent else "",
        "agent.name": agent.name if agent else "",
        "organization.name": organization.name if organization else "",
    }
    return {name: one_line(value, LONGEST_VALUE) for name, value in raw.items()}


def first_name(name: str) -> str:
    """How to address somebody: "Doe, Jane" and "Jane Doe" are both Jane; an address is no name."""
    if "@" in name:
        return ""
    family, comma, given = name.partition(",")
    words = (given if comma and given.strip() else family).split()
    return words[0] if words else ""
