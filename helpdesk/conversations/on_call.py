"""On call, in one step: acknowledge the page and tell the customer how it will be handled."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from helpdesk.conversations.answers import NothingToSay, reply
from helpdesk.conversations.models import Status
from helpdesk.customers.models import User
from helpdesk.oncall import paging
from helpdesk.oncall.models import Page


@transaction.atomic
def acknowledge_page(
    page_id: int, user: User, handling: str, *, at: datetime, via: str = "desk", client_id: UUID | None = None
) -> Page:
    """Acknowledge the page; with words about its handling, answer the customer as well, in the same commit.

    The answer is one like any other: it keeps the response promise, and who gives it has taken the ticket, which
    resolves the page. The ticket stays open, because it is we who act next. Without words the page is only
    acknowledged. Raises NothingToSay for words about a page behind which there is no customer, Page.DoesNotExist.
    """
    # The page's row is locked before the conversation's, as everywhere.
    page = paging.acknowledge(page_id, at=at, user=user, via=via)
    if not handling.strip():
        return page
    if page.conversation_id is None:
        raise NothingToSay("nobody has asked: this page has no conversation to answer in")
    reply(page.conversation_id, user, handling, at=at, client_id=client_id, status=Status.OPEN)
    return page
