"""What the desk's conversation pane says of a chat: who it is, where they are, how it stands, and what can be done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from chat import passing, queueing, visitor_presence
from chat.models import Booking, Chat, ChatAgent, PageEvent, SlackThread, Visit
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from helpdesk.prepared import Prepared
from helpdesk.ratings.models import Rating

_FACTS = Prepared(
    "chat_pane",
    f"""
SELECT chat.mode, chat.state, chat.is_verified, chat.visitor_read, chat.agent_read, chat.offered_to_id,
    chat.offered_until, chat.hold_until, chat.nudge, chat.started_at, chat.joined_at, chat.ended_at, chat.unseen_since,
    conversation.assignee_id, conversation.last_public_seq AS head, offered.name AS offered_name,
    coalesce(visit.is_id_only, false) AS is_id_only,
    coalesce(visit.page_url, '') AS page_url, coalesce(visit.page_title, '') AS page_title,
    coalesce(mine.enter_sends, true) AS enter_sends, rating.score, rating.comment,
    coalesce(slack.error, '') AS slack_error,
    booked.starts_at AS booked_at, coalesce(booked.answer, '') AS booked_answer,
    (SELECT json_agg(json_build_object('name', told.name, 'props', told.props, 'at', told.at) ORDER BY told.id DESC)
     FROM (SELECT * FROM {PageEvent._meta.db_table} AS one WHERE one.visit_id = chat.visit_id
           ORDER BY one.id DESC LIMIT {passing.MOST_TRACKED}) AS told) AS tracked
FROM {Chat._meta.db_table} AS chat
JOIN {Conversation._meta.db_table} AS conversation ON conversation.id = chat.conversation_id
LEFT JOIN {User._meta.db_table} AS offered ON offered.id = chat.offered_to_id
LEFT JOIN {Visit._meta.db_table} AS visit ON visit.id = chat.visit_id
LEFT JOIN {ChatAgent._meta.db_table} AS mine ON mine.user_id = %(user)s::bigint
LEFT JOIN {SlackThread._meta.db_table} AS slack ON slack.chat_id = chat.conversation_id
LEFT JOIN LATERAL (
    SELECT one.starts_at, one.answer FROM {Booking._meta.db_table} AS one
    WHERE one.conversation_id = chat.conversation_id AND one.state = 'booked' ORDER BY one.id DESC LIMIT 1
) AS booked ON true
LEFT JOIN {Rating._meta.db_table} AS rating ON rating.conversation_id = chat.conversation_id
WHERE chat.conversation_id = %(conversation)s::bigint
""",
)
# The page of the visitor is shown as a link; nothing else may be one.
_SAFE: Final = ("http://", "https://")


def facts(conversation_id: int, user: User, at: datetime) -> Mapping[str, Any] | None:
    """None where the conversation is no chat. For `LIVE_DESK`; the desk has made sure that this agent may see it.

    Besides the columns: `is_live`, `is_mine`, `is_offered` (to this agent, now), `presence` (online, away, left),
    `booked_at` and `booked_answer` of a chat that is agreed for a time and not over yet,
    `position` in the queue, `page` as (address, title), `tracked`: what the page told of them, newest first, as
    (name, props, time).
    """
    found = _FACTS.mapping({"conversation": conversation_id, "user": user.pk})
    if found is None:
        return None
    is_live = found["mode"] == "chat" and found["state"] != "ended"
    there = visitor_presence.of([conversation_id]).get(conversation_id)
    place = queueing.place_of(conversation_id) if found["state"] == "waiting" else None
    address = (there.url if there and there.url else found["page_url"]) or ""
    title = (there.title if there and there.url else found["page_title"]) or address
    is_offered = found["offered_to_id"] == user.pk and (found["offered_until"] or at) > at
    return found | {
        "is_live": is_live,
        "is_mine": found["assignee_id"] == user.pk,
        "is_offered": is_live and is_offered,
        "is_held": is_live and found["hold_until"] is not None and found["hold_until"] > at,
        "presence": there.state if there else visitor_presence.LEFT,
        "position": place.position if place else 0,
        "page": (address, title) if address.startswith(_SAFE) else None,
        "may_lead": user.is_admin,
        "tracked": [(one["name"], one["props"], datetime.fromisoformat(one["at"])) for one in found["tracked"] or []],
    }
