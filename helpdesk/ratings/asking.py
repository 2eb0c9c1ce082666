"""Asking once a conversation is solved: planned by its events, sent by a sweep a while later."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import continuing
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import DONE, Conversation, Message
from helpdesk.customers import mail_choices
from helpdesk.customers.models import Customer
from helpdesk.events.actions import Fact, record
from helpdesk.events.models import Event
from helpdesk.ratings import letters, links
from helpdesk.ratings.giving import about
from helpdesk.ratings.models import Rating, RatingSettings, rating_settings

logger = logging.getLogger(__name__)

ASKED: Final = "rating.asked"
"""{message}: the question's."""
# A conversation that is opened and solved again is not asked about again so soon.
NOT_AGAIN_FOR: Final = timedelta(days=30)
AFTER_AN_ERROR: Final = timedelta(minutes=5)
MOST: Final = 200
MAIL: Final = "email"


def plan(event: Event, at: datetime) -> None:
    """The handler of `conversation.resolved`: the question is due after the delay that is set."""
    assert event.conversation_id is not None, "it happens to conversations only"
    rules, conversation = rating_settings(), lock(event.conversation_id)
    rating = Rating.objects.select_for_update().filter(pk=conversation.pk).first()
    if not _is_wanted(conversation, rating, rules, at):
        return
    planned = about(conversation)
    if rating is not None:
        planned.asked_at, planned._state.adding = rating.asked_at, False
    planned.due_at = event.at + timedelta(minutes=rules.delay_minutes)
    planned.save()


def unplan(event: Event, at: datetime) -> None:
    """The handler of what opens a conversation again: it is not solved, so nothing is asked."""
    assert event.conversation_id is not None, "it happens to conversations only"
    conversation = lock(event.conversation_id)
    if conversation.status not in DONE:
        Rating.objects.filter(pk=conversation.pk, rated_at=None, asked_at=None).delete()
        Rating.objects.filter(pk=conversation.pk).update(due_at=None)


def sweep(at: datetime) -> int:
    """Ask what is due, each in a transaction of its own; how many were asked."""
    asked = 0
    due = Rating.objects.filter(due_at__lte=at).order_by("due_at").values_list("pk", flat=True)
    for pk in list(due[:MOST]):
        try:
            asked += _ask(pk, at)
        except Exception:
            # Whatever is wrong with one must not keep the others waiting; it is logged and tried again.
            logger.exception("conversation %s could not be asked for a rating", pk)
            Rating.objects.filter(pk=pk, due_at__lte=at).update(due_at=at + AFTER_AN_ERROR)
    return asked


@transaction.atomic
def _ask(conversation_id: int, at: datetime) -> bool:
    rules, conversation = rating_settings(), lock(conversation_id)
    rating = Rating.objects.select_for_update().filter(pk=conversation_id, due_at__lte=at).first()
    if rating is None:
        return False  # another sweep was quicker, or it was opened again
    rating.due_at = None
    if not _is_wanted(conversation, rating, rules, at):
        rating.save(update_fields=["due_at"])
        return False
    rating.asked_at = at
    rating.save(update_fields=["due_at", "asked_at"])
    customer = Customer.objects.get(pk=conversation.customer_id)
    letter = letters.question(conversation, customer, links.token(conversation_id, at))
    message = conversations.write_automatically(conversation, letter.text, html=letter.html, at=at, via=MAIL)
    record(Fact(ASKED, conversation_id, data={"message": message.pk}), at=at)
    return True


def _is_wanted(conversation: Conversation, rating: Rating | None, rules: RatingSettings, at: datetime) -> bool:
    """Whether the customer is asked now: a person was helped by a person, and has not been asked or said it already."""
    if not rules.is_on or conversation.status not in DONE or conversation.is_spam or conversation.merged_into_id:
        return False
    if rating is not None and rating.rated_at is not None:
        return False
    if rating is not None and rating.asked_at is not None and rating.asked_at + NOT_AGAIN_FOR > at:
        return False
    return _is_reached_by_mail(conversation) and _is_by_people(conversation)


def _is_reached_by_mail(conversation: Conversation) -> bool:
    channels = settings.SUPPORT_CHANNELS
    goes_by_mail = channels.get(conversation.channel) == channels[MAIL] or continuing.is_continued(conversation.channel)
    reader = Customer.objects.filter(pk=conversation.customer_id, blocked_at=None).exclude(email="").first()
    return goes_by_mail and reader is not None and mail_choices.wants(reader, mail_choices.RATING)


def _is_by_people(conversation: Conversation) -> bool:
    """Neither opened by a machine nor solved without a word of ours."""
    first = Event.objects.filter(conversation=conversation, seq=1).first()
    if first is not None and first.data.get("automatic"):
        return False
    said = Message.objects.filter(conversation=conversation, kind=Message.Kind.OUTBOUND, is_automatic=False)
    return said.exists()
