"""Linked conversations are told of an incident's updates: each of every update once, in its own channel. What ends the
incident solves them; whoever writes again afterwards is listed as "still broken".
"""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F, Min, Q

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import continuing, handling, promises
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import DONE, Conversation, Message, Status
from helpdesk.customers.models import Customer
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import SYSTEM
from helpdesk.events.handlers import outside, together
from helpdesk.events.models import Event
from helpdesk.events.outcomes import RetryLater
from helpdesk.oncall import paging
from status import concerned, concerning, linking, pages, proposals, telling_words
from status.incidents import OVER
from status.models import ConversationNotice, Incident, IncidentConversation, IncidentUpdate

logger = logging.getLogger(__name__)

STILL_BROKEN: Final = "conversation.still_broken"
AT_ONCE: Final = 100
# Well below the outbox's lease: what is left is told in the next turn.
SECONDS: Final = 20.0
AGAIN: Final = timedelta(milliseconds=1)
# An agent has judged these to be about the incident: they wait for its end instead of for an agent.
JUDGED: Final = (IncidentConversation.How.BY_HAND, IncidentConversation.How.BY_PROPOSAL)
ANSWERED: Final = "its incident's update answered it"
OVERTAKEN: Final = "told of later news already"
# What could not be told is tried again so long after each try, and then no more: an agent has to look.
AGAIN_AFTER: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
# Outbox and clock differ by so much at most: an acknowledgement that was written then may have told the same.
NEAR: Final = timedelta(minutes=1)
MOST_NEAR: Final = 5


@outside
def tell(event: Event, at: datetime) -> None:
    """An update was published: find the conversations that it has caused, and tell all of them. Called again it goes on
    where it was stopped. Raises RetryLater with what is left.
    """
    update = IncidentUpdate.objects.select_related("incident").filter(pk=event.data["update"]).first()
    if update is None or update.published_at is None:
        return
    began = time.monotonic()
    proposals.settle(update.incident, at=at)
    if _causes_tickets(update.incident):
        # They belong to this update, whenever it is that they are found.
        while linking.link_witnesses(update.incident, at=update.published_at):
            _check_time(began)
    if not event.data.get("tells", True):
        return
    after = 0
    while links := _untold(update, after):
        for link_id, conversation_id in links:
            _tell_safely(link_id, conversation_id, update, at)
            _check_time(began)
            after = link_id
    _tell_again(update, at, began)


def _check_time(began: float) -> None:
    if time.monotonic() - began > SECONDS:
        raise RetryLater("more conversations are to be told", AGAIN)


def _causes_tickets(incident: Incident) -> bool:
    return not incident.is_over and not incident.is_backfilled and incident.status != Incident.Status.SCHEDULED


def _untold(update: IncidentUpdate, after: int) -> list[tuple[int, int]]:
    """Links beyond this one that were there when it was published and have not been told of it; whoever came later was
    told of how things stood then.
    """
    links = IncidentConversation.objects.filter(
        incident=update.incident_id, linked_at__lte=update.published_at, pk__gt=after
    )
    untold = links.exclude(notices__update=update).order_by("pk")
    return list(untold.values_list("pk", "conversation_id")[:AT_ONCE])


@outside
def tell_linked(event: Event, at: datetime) -> None:
    """An agent has linked a conversation to what goes on already: its customer is told how things stand."""
    link = IncidentConversation.objects.filter(conversation=event.conversation_id).select_related("incident").first()
    if link is None or not event.data.get("tells") or link.incident.public_id != event.data.get("incident"):
        return
    newest = linking.newest_told(link.incident)
    if newest is None:
        return
    if not ConversationNotice.objects.filter(update=newest, link=link).exists():
        _tell_safely(link.pk, link.conversation_id, newest, at)
    _tell_again(newest, at, time.monotonic(), link.pk)


def _tell_safely(link_id: int, conversation_id: int, update: IncidentUpdate, at: datetime) -> None:
    try:
        _tell(link_id, conversation_id, update, at)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # One conversation that cannot be told must not keep the others waiting; agents see which and why, and whatever
        # it was may pass.
        logger.exception("conversation %s could not be told of update %s", conversation_id, update.pk)
        _put_off(link_id, update, f"{error.__class__.__name__}: {error}", at)


def _put_off(link_id: int, update: IncidentUpdate, error: str, at: datetime) -> None:
    """It is tried again after a while, and after some times no more."""
    known = ConversationNotice.objects.filter(update=update, link=link_id).first()
    tried = known.attempts if known is not None else 0
    notice = {
        "error": error[:300],
        "at": at,
        "attempts": tried + 1,
        "retry_at": at + AGAIN_AFTER[tried] if tried < len(AGAIN_AFTER) else None,
    }
    with suppress(IntegrityError), transaction.atomic():  # it was unlinked meanwhile, or told by somebody quicker
        untold = ConversationNotice.objects.filter(message=None)
        untold.update_or_create(update=update, link_id=link_id, defaults=notice)


def _tell_again(update: IncidentUpdate, at: datetime, began: float, link_id: int | None = None) -> None:
    """Try those once more that could not be told, as far as it is time. Raises RetryLater while some are left."""
    waiting = ConversationNotice.objects.filter(update=update, retry_at__isnull=False)
    if link_id is not None:
        waiting = waiting.filter(link=link_id)
    due = waiting.filter(retry_at__lte=at).order_by("retry_at", "pk")
    for again_id, conversation_id in list(due.values_list("link_id", "link__conversation_id")[:AT_ONCE]):
        _tell_safely(again_id, conversation_id, update, at)
        _check_time(began)
    soonest = waiting.aggregate(soonest=Min("retry_at"))["soonest"]
    if soonest is not None:
        raise RetryLater("some conversations could not be told yet", max(soonest - at, AGAIN))


@transaction.atomic
def _tell(link_id: int, conversation_id: int, update: IncidentUpdate, at: datetime) -> None:
    conversation = lock(conversation_id)
    # Looked at again under the lock: it may have been unlinked, or told by somebody quicker.
    link = IncidentConversation.objects.filter(pk=link_id, incident=update.incident_id).first()
    if link is None or ConversationNotice.objects.filter(update=update, link=link, retry_at=None).exists():
        return
    conversation.customer = Customer.objects.get(pk=conversation.customer_id)
    refusal = _refusal(conversation, link, update)
    if refusal:
        _note(link_id, update, at, refusal)
        return
    current = IncidentUpdate.objects.select_related("incident").get(pk=update.pk)
    message = _said_already(conversation, current)
    if message is None:
        text, html = _words(conversation, current, at)
        message = conversations.write_automatically(conversation, text, html=html, at=at)
    _note(link_id, update, at, message=message)
    if update.status in OVER:
        _solve(conversation, link, at)
    elif link.how in JUDGED and update.created_by_id is not None:
        _hold(conversation, at)


def _refusal(conversation: Conversation, link: IncidentConversation, update: IncidentUpdate) -> str:
    """Why this conversation is not told, "" where it is."""
    if conversation.merged_into_id is not None:
        return f"merged into #{conversation.merged_into_id}"
    if conversation.is_spam:
        return "marked as spam"
    if conversation.customer.blocked_at is not None:
        return "the customer is blocked"
    if not _may_know(conversation, update.incident_id):
        return "it is private, and this is not one of its customers"
    later = Q(update__published_at__gt=update.published_at) | Q(
        update__published_at=update.published_at, update__gt=update.pk
    )
    told = ConversationNotice.objects.filter(link=link, update__incident=update.incident_id)
    return OVERTAKEN if told.filter(later).exists() else ""


def _may_know(conversation: Conversation, incident_id: int) -> bool:
    """What is private is told to its customers, and nowhere where others may read along."""
    is_read_by_others = conversation.channel in settings.PUBLIC_CHANNELS
    return concerned.may_know_of(incident_id, None if is_read_by_others else conversation.organization_id)


def _said_already(conversation: Conversation, update: IncidentUpdate) -> Message | None:
    """The acknowledgement, where it was written as this update was published and has told it by the way."""
    assert update.published_at is not None, "it was published"
    near = conversation.messages.filter(
        kind=Message.Kind.OUTBOUND, is_automatic=True, at__gte=update.published_at - NEAR
    )
    others = near.exclude(pk__in=ConversationNotice.objects.filter(message__in=near).values("message"))
    url, words = concerned.incident_url(update.incident_id, update.incident.public_id), concerning.in_short(update.body)
    return next((one for one in others.order_by("pk")[:MOST_NEAR] if url in one.text and words in one.text), None)


def _words(conversation: Conversation, update: IncidentUpdate, at: datetime) -> tuple[str, str]:
    customer = conversation.customer
    language = customer.language or continuing.particulars(conversation, at=at).language
    reader = telling_words.Reader(conversation.number, conversation.channel, customer.name, language, pages.zone())
    return telling_words.text(update, update.incident, reader), telling_words.html(update, update.incident, reader)


def _note(
    link_id: int, update: IncidentUpdate, at: datetime, error: str = "", *, message: Message | None = None
) -> None:
    notice = {"message": message, "error": error[:300], "at": at, "retry_at": None}
    ConversationNotice.objects.update_or_create(update=update, link_id=link_id, defaults=notice)


def _solve(conversation: Conversation, link: IncidentConversation, at: datetime) -> None:
    IncidentConversation.objects.filter(pk=link.pk).update(still_broken_at=None)
    # Who asked to be told while they talked of something else goes on with that.
    has_other_matter = link.how == IncidentConversation.How.ASKED and conversation.status != Status.ON_HOLD
    if conversation.status not in DONE and not has_other_matter:
        handling.change_status(conversation, Status.RESOLVED, actor=SYSTEM, at=at, may_lack_fields=True)


def _hold(conversation: Conversation, at: datetime) -> None:
    """A person has answered all of them at once; nobody needs to take each until it is over or the customer writes."""
    if conversation.status not in (Status.NEW, Status.OPEN, Status.PENDING):
        return
    promises.answered(conversation, at=at)
    paging.resolve_open(paging.conversation_key(conversation.pk), at=at, why=ANSWERED)
    handling.change_status(conversation, Status.ON_HOLD, actor=SYSTEM, at=at)
    if conversation.assignee_id is None:
        promises.agreed(conversation, at=at)


@together
def note_still_broken(events: Sequence[Event], at: datetime) -> None:
    """A customer writes again in what an incident's end has solved: it is listed there, and open again by itself."""
    wrote = {e.conversation_id: e.at for e in events if not e.data.get("automatic") and e.conversation_id is not None}
    over = IncidentConversation.objects.filter(
        conversation__in=wrote, still_broken_at=None, incident__resolved_at__isnull=False
    )
    for link in over.select_related("incident").order_by("conversation_id"):
        wrote_at = wrote[link.conversation_id]
        assert link.incident.resolved_at is not None, "asked for above"
        told = ConversationNotice.objects.filter(link=link, update__status__in=OVER, message__isnull=False)
        if not told.filter(at__lte=wrote_at, update__incident=F("link__incident")).exists():
            continue
        IncidentConversation.objects.filter(pk=link.pk).update(still_broken_at=wrote_at)
        data = {"incident": link.incident.public_id, "name": link.incident.name}
        record(Fact(STILL_BROKEN, link.conversation_id, data=data), at=at)


@together
def link_opened(events: Sequence[Event], at: datetime) -> None:
    """A conversation begins, or its services are named: if something is wrong with one of these, it belongs to that.

    What machines open is nobody's question.
    """
    mine = {e.conversation_id for e in events if not e.data.get("automatic") and e.conversation_id is not None}
    linking.link_concerned(mine, at=at)
