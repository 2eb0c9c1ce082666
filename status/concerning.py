"""What somebody is told of incidents that concern them before they write, and right after they wrote."""

import re
from typing import Final

from helpdesk.conversations.incidents import Trouble
from helpdesk.conversations.models import Conversation
from helpdesk.customers.services import mentioned_services
from status import affecting, linking, wording
from status.models import IncidentConversation

MOST: Final = 3
LONGEST_WORDS: Final = 400
_MARKS: Final = re.compile(r"[*_`#>\[\]]+")


def of_conversation(conversation: Conversation) -> list[Trouble]:
    """By the services that it names, else by those of its customer's company. It is told to the customer alone, who
    may name what is somebody else's: of that they hear what everybody may know.
    """
    if not affecting.is_anything_wrong():
        return []
    link = IncidentConversation.objects.select_related("incident").filter(conversation=conversation).first()
    services = list(conversation.services.values_list("pk", flat=True))
    organization = conversation.organization_id
    found = affecting.of_services(services, organization) if services else affecting.of_organization(organization)
    told_of = link.incident_id if link else None
    if link is not None and _was_told(link):
        found = [one for one in found if one.id != told_of]
    return [as_told(one, is_own=True, is_linked=one.id == told_of) for one in found[:MOST]]


def _was_told(link: IncidentConversation) -> bool:
    """Whether the conversation has heard the newest words already, a moment ago."""
    newest = linking.newest_told(link.incident)
    return newest is not None and link.notices.filter(update=newest, message__isnull=False).exists()


def of_form(service: str) -> list[Trouble]:
    """Everything that the public may know, what concerns the service first; `service` is what somebody typed."""
    own: set[int] = set()
    public = affecting.public()
    if not public:
        return []
    if service:
        named = [one.pk for one in mentioned_services(service, None)]
        own |= {one.id for one in affecting.of_services(named, None)}
    ordered = sorted(public, key=lambda one: one.id not in own)
    return [as_told(one, is_own=one.id in own) for one in ordered[:MOST]]


def as_told(trouble: affecting.Trouble, *, is_own: bool, is_linked: bool = False) -> Trouble:
    """In the words of the language that is active; what was said in Markdown without its marks, and shortened."""
    return Trouble(
        name=trouble.name,
        what=affecting.listed(trouble.components),
        says=in_short(trouble.says),
        url=trouble.url,
        status=wording.status(trouble.status),
        is_own=is_own,
        is_linked=is_linked,
    )


def in_short(body: str) -> str:
    """What an update says on one line: without the marks of Markdown, and not for ever."""
    says = " ".join(_MARKS.sub("", body).split())
    return says if len(says) <= LONGEST_WORDS else says[: LONGEST_WORDS - 1].rstrip() + "…"


def of_service(service_id: int, organization_id: int) -> list[Trouble]:
    """What goes on with a service, private components of the organization included: ask only for somebody of it."""
    return [as_told(one, is_own=True) for one in affecting.of_services([service_id], organization_id)[:MOST]]


def of_organization(organization_id: int | None) -> list[Trouble]:
    """What goes on with a company's services, private components included: ask only for somebody of it."""
    return [as_told(one, is_own=True) for one in affecting.of_organization(organization_id)[:MOST]]
