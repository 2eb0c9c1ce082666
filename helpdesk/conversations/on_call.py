"""On call, in one step: acknowledge the page and tell the customer how it will be handled."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from helpdesk.conversations.answering import answer
from helpdesk.conversations.answers import NothingToSay, Refused
from helpdesk.conversations.models import Conversation, Status
from helpdesk.customers.models import User
from helpdesk.oncall import paging
from helpdesk.oncall.models import Page


def acknowledge_page(
    page_id: int, user: User, handling: str, *, at: datetime, via: str = "desk", client_id: UUID | None = None
) -> Page:
    """Acknowledge the page; with words about its handling, answer the customer as well, in the same commit.

    The answer is one like any other: it keeps the response promise, and who gives it has taken the ticket, which
    resolves the page. The ticket stays open, because it is we who act next. Without words the page is only
    acknowledged. Raises NothingToSay for words about a page behind which there is no customer, Page.DoesNotExist, and
    Refused for words that may not stand where the customer is: then the page is acknowledged without them, because
    nobody else should be woken for the words' sake.
    """
    try:
        return _acknowledge(page_id, user, handling, at=at, via=via, client_id=client_id)
    except Refused:
        paging.acknowledge(page_id, at=at, user=user, via=via)
        raise


@transaction.atomic
def _acknowledge(page_id: int, user: User, handling: str, *, at: datetime, via: str, client_id: UUID | None) -> Page:
    # The page's row is locked before the conversation's, as everywhere.
    page = paging.acknowledge(page_id, at=at, user=user, via=via)
    if not handling.strip():
        return page
    if page.conversation_id is None:
        raise NothingToSay("nobody has asked: this page has no conversation to answer in")
    asked = Conversation.objects.get(pk=page.conversation_id)
    answer(asked, user, handling, at=at, client_id=client_id, status=Status.OPEN)
    return page
