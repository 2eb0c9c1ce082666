"""What somebody is told of incidents that concern them before they write, and right after they wrote."""

import re
from typing import Final

from helpdesk.conversations.incidents import Trouble
from helpdesk.conversations.models import Conversation
from helpdesk.customers.services import mentioned_services
from status import affecting, wording
from status.models import IncidentConversation

MOST: Final = 3
LONGEST_WORDS: Final = 400
_MARKS: Final = re.compile(r"[*_`#>\[\]]+")


def of_conversation(conversation: Conversation) -> list[Trouble]:
    """By the services that it names, else by those of its customer's company. It is told to the customer alone."""
    if not affecting.is_anything_wrong():
        return []
    link = IncidentConversation.objects.filter(conversation=conversation).first()
    services = list(conversation.services.values_list("pk", flat=True))
    found = affecting.of_services(services) if services else affecting.of_organization(conversation.organization_id)
    told_of = link.incident_id if link else None
    return [as_told(one, is_own=True, is_linked=one.id == told_of) for one in found[:MOST]]


def of_form(service: str) -> list[Trouble]:
    """Everything that the public may know, what concerns the service first; `service` is what somebody typed."""
    own: set[int] = set()
    public = affecting.public()
    if not public:
        return []
    if service:
        own |= {one.id for one in affecting.of_services([one.pk for one in mentioned_services(service, None)])}
    ordered = sorted(public, key=lambda one: one.id not in own)
    return [as_told(one, is_own=one.id in own) for one in ordered[:MOST]]


def as_told(trouble: affecting.Trouble, *, is_own: bool, is_linked: bool = False) -> Trouble:
    """In the words of the language that is active; what was said in Markdown without its marks, and shortened."""
    says = " ".join(_MARKS.sub("", trouble.says).split())
    return Trouble(
        name=trouble.name,
        what=affecting.listed(trouble.components),
        says=says if len(says) <= LONGEST_WORDS else says[: LONGEST_WORDS - 1].rstrip() + "…",
        url=trouble.url,
        status=wording.status(trouble.status),
        is_own=is_own,
        is_linked=is_linked,
    )
