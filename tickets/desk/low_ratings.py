"""A low rating calls the leads: a note in the conversation, which mentions them."""

from datetime import datetime

from django.utils.translation import gettext as _

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.visibility import watchers
from helpdesk.customers.models import Customer, User
from helpdesk.events.models import Event
from helpdesk.ratings.giving import LOW
from tickets.desk.models import Mention

MOST_CALLED = 20


def call_leads(event: Event, at: datetime) -> None:
    """The handler of `rating.given`. The score comes first, the words often a minute later: they are noted as well, but
    a score that was low before calls nobody again.
    """
    score, was = event.data["score"], event.data["was"]
    is_new = was is None or was > LOW
    has_words = bool(event.data["comment"]) and event.data.get("is_reworded", True)
    if score > LOW or not (is_new or has_words):
        return
    assert event.conversation_id is not None, "it happens to conversations only"
    conversation = lock(event.conversation_id)
    customer = Customer.objects.get(pk=conversation.customer_id)
    said = {"who": customer, "score": score, "comment": event.data["comment"]}
    words = _("%(who)s rated our help %(score)s of 5: “%(comment)s”") if has_words else ""
    text = (words or _("%(who)s rated our help %(score)s of 5.")) % said
    if not is_new:
        conversations.note_automatically(conversation, text, at=at)
        return
    calls = "\n\n".join([text, _("Somebody who leads should have a look.")])
    note = conversations.note_automatically(conversation, calls, at=at)
    Mention.objects.bulk_create(
        [
            Mention(conversation_id=conversation.pk, message=note, user_id=pk, at=at)
            for pk in _leads(conversation)[:MOST_CALLED]
        ],
        ignore_conflicts=True,
    )


def _leads(conversation: Conversation) -> list[int]:
    """The admins of its team; all admins where the team has none."""
    admins = User.objects.filter(role=User.Role.ADMIN, is_active=True).order_by("pk")
    own = list(admins.filter(teams=conversation.team_id).values_list("pk", flat=True)) if conversation.team_id else []
    found = own or list(admins.values_list("pk", flat=True))
    allowed = {agent for _conversation, agent in watchers([conversation.pk], found)}
    return [pk for pk in found if pk in allowed]
