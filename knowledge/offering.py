"""Articles for the desk's palette and for the `/` menu of a reply (helpdesk.desk.offered)."""

from typing import Final

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import User
from helpdesk.customers.permissions import is_agent
from helpdesk.desk.offered import Insertable, Place
from knowledge import permissions, searching
from knowledge.models import Visibility

# Two letters are in every article.
SHORTEST: Final = 3
EACH: Final = 5


def for_palette(typed: str, user: User, conversation_id: int) -> list[Place]:
    """Articles of every kind, drafts too. Within a conversation they open above it, where they can be put into a
    reply.
    """
    typed = typed.strip()
    if len(typed) < SHORTEST or typed.startswith("#") or not is_agent(user):
        return []
    found = searching.for_agent(typed, _language(), most=EACH, excerpts=False)
    return [
        Place(
            _("Articles"),
            f"a{hit.article_id}",
            "book-open",
            hit.title,
            says(hit.visibility),
            reverse("knowledge:kb_reading", args=[hit.article_id]) + f"?conversation={conversation_id}"
            if conversation_id
            else reverse("knowledge:kb_article", args=[hit.article_id]),
            is_layer=bool(conversation_id),
        )
        for hit in found.hits
    ]


def for_composer(typed: str, user: User, conversation_id: int) -> list[Insertable]:
    """Articles that may be put into a reply there, in the customer's language where there is one."""
    if len(typed.strip()) < SHORTEST or not permissions.may_write(user):
        return []
    row = visible_conversations(user).filter(pk=conversation_id).values_list("customer__language").first()
    if row is None:
        return []
    hits = searching.for_agent(typed, row[0] or _language(), most=EACH * 2, excerpts=False).hits
    return [
        Insertable(hit.title, says(hit.visibility), reverse("knowledge:kb_insert", args=[hit.article_id]))
        for hit in hits
        if hit.visibility != Visibility.DRAFT
    ][:EACH]


def says(visibility: str) -> str:
    """What kind of article it is, beside its title."""
    kinds = {"draft": _("Draft"), "internal": _("Internal article"), "public": _("Article")}
    return kinds[visibility]


def _language() -> str:
    return (get_language() or "en").split("-")[0]
