"""An article made of a conversation: the question and the answer that helped, nobody's data in it."""

from collections.abc import Iterable
from typing import Final

from django.conf import settings

from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Service
from helpdesk.events import private_data
from knowledge.articles import Text
from knowledge.models.articles import LONGEST_TITLE

MOST_NAMES: Final = 500


def of_conversation(conversation: Conversation) -> Text:
    """What an article made of this conversation begins with, to be written anew. Nothing is saved. What looks private,
    and the customer's own names, are replaced by […].
    """
    rows = Message.objects.filter(conversation=conversation).order_by("pk")
    asked = rows.filter(kind=Message.Kind.INBOUND).first()
    answered = rows.filter(kind=Message.Kind.OUTBOUND).last()
    names = _names(conversation)
    question = _cleaned(asked.text if asked else "", names)
    quoted = "\n".join(f"> {line}" for line in question.splitlines())
    body = "\n\n".join(part for part in (quoted, _cleaned(answered.text if answered else "", names)) if part)
    title = _cleaned(conversation.subject, names)[:LONGEST_TITLE]
    return Text(title=title, body=body, language=conversation.customer.language or "en")


def _cleaned(text: str, names: Iterable[str]) -> str:
    return private_data.removed(text.strip(), own=settings.PUBLIC_CONTACTS, private_names=list(names))


def _names(conversation: Conversation) -> list[str]:
    """What says who it was: the customer, each part of their name, their organization and its services."""
    customer, organization = conversation.customer, conversation.organization
    names = [customer.name, *customer.name.split(), organization.name if organization else ""]
    if organization:
        services = Service.objects.filter(organizations=organization).values_list("name", flat=True)
        names += services[:MOST_NAMES]
    return [name for name in names if name]
