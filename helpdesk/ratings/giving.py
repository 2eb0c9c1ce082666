"""Rating a conversation, and what leads do about ratings. One score a conversation; the last word counts."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import DONE, Conversation, Message
from helpdesk.customers.models import User
from helpdesk.events.actions import Fact, record
from helpdesk.events.actors import CUSTOMER, Actor
from helpdesk.ratings.models import Rating

GIVEN: Final = "rating.given"
"""{score, was, comment, is_reworded, via}: `was` is the score before, null at first; `comment` its beginning;
`is_reworded` whether the comment is another one than before."""
LOOKED: Final = "rating.looked_at"
LOW: Final = 2
BEST: Final = 5
OPEN_FOR: Final = timedelta(days=14)
LONGEST_COMMENT: Final = 4_000
MOST_MERGES: Final = 20
_TOLD: Final = 1_000


class TooLate(ValueError):
    """It was solved, or rated, too long ago."""


class NotSolved(ValueError):
    """There is nothing to rate yet."""


class NotLow(ValueError):
    """Only low ratings are looked at, and only the best with a comment are shown."""


@transaction.atomic
def give(
    conversation_id: int, score: int, comment: str, *, via: str, at: datetime, is_still_open: bool = False
) -> Rating:
    """The customer's word; the same again changes nothing, another one within 14 days replaces it.

    `is_still_open`: a live chat is rated when it ends, before anybody resolves it. Raises NotSolved, TooLate,
    ValueError for a score that is none, Conversation.DoesNotExist.
    """
    if not 1 <= score <= BEST:
        raise ValueError("a score is 1 to 5")
    comment = comment.replace("\x00", "").strip()[:LONGEST_COMMENT]
    conversation = lock(conversation_id)
    rating = Rating.objects.select_for_update().filter(pk=conversation_id).first() or about(conversation)
    _check_open(conversation, rating, at, is_still_open)
    was, is_reworded = rating.score, rating.comment != comment
    if was == score and not is_reworded:
        return rating
    rating.score, rating.comment, rating.via = score, comment, via
    rating.rated_at, rating.due_at = rating.rated_at or at, None
    # What a lead looked at, or showed the team, was something else.
    rating.looked_at = rating.looked_by = None
    rating.is_shown = False
    rating.save()
    told = {"score": score, "was": was, "comment": comment[:_TOLD], "is_reworded": is_reworded, "via": via}
    record(Fact(GIVEN, conversation_id, CUSTOMER, data=told), at=at)
    return rating


def _check_open(conversation: Conversation, rating: Rating, at: datetime, is_still_open: bool) -> None:
    if rating.rated_at is None and conversation.status not in DONE and rating.asked_at is None and not is_still_open:
        raise NotSolved("it is not solved yet")
    since = max(filter(None, (rating.rated_at, rating.asked_at, conversation.resolved_at)), default=at)
    if rating.rated_at is not None:
        since = rating.rated_at
    if since + OPEN_FOR < at:
        raise TooLate("it was rated, or solved, more than 14 days ago")


def rated_instead(conversation: Conversation) -> Conversation:
    """What a rating of this one is about: where it was merged into another of the same customer's, the other one. What
    was rated before keeps its rating.
    """
    for _step in range(MOST_MERGES):
        into = conversation.merged_into
        if into is None or into.customer_id != conversation.customer_id:
            break
        if Rating.objects.filter(pk=conversation.pk, score__isnull=False).exists():
            break
        conversation = into
    return conversation


def about(conversation: Conversation) -> Rating:
    """A rating to be of this conversation, with whose work it is about; not saved."""
    return Rating(
        conversation=conversation,
        customer_id=conversation.customer_id,
        agent_id=conversation.assignee_id or _last_to_answer(conversation),
        team_id=conversation.team_id,
        channel=conversation.channel,
    )


def _last_to_answer(conversation: Conversation) -> int | None:
    said = Message.objects.filter(conversation=conversation, kind=Message.Kind.OUTBOUND, agent__isnull=False)
    return said.order_by("-pk").values_list("agent_id", flat=True).first()


@transaction.atomic
def look(conversation_id: int, user: User, *, at: datetime) -> Rating:
    """A lead has looked at a low one; who was first stays. Raises NotLow, Rating.DoesNotExist."""
    lock(conversation_id)
    rating = Rating.objects.select_for_update().get(pk=conversation_id)
    if rating.score is None or rating.score > LOW:
        raise NotLow("only low ratings are looked at")
    if rating.looked_at is None:
        rating.looked_at, rating.looked_by = at, user
        rating.save(update_fields=["looked_at", "looked_by"])
        record(Fact(LOOKED, conversation_id, Actor.agent(user), data={"score": rating.score}), at=at)
    return rating


@transaction.atomic
def show(conversation_id: int, is_shown: bool) -> Rating:
    """Thanks worth reading are shown to the whole team, or no more. Raises NotLow, Rating.DoesNotExist."""
    rating = Rating.objects.select_for_update().get(pk=conversation_id)
    if is_shown and (rating.score != BEST or not rating.comment):
        raise NotLow("only the best ratings with a comment are shown")
    rating.is_shown = is_shown
    rating.save(update_fields=["is_shown"])
    return rating
