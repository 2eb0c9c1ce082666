"""What a network says of messages: edited, deleted, hidden, covered, and where they stand. For `NETWORK_DESK`."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from helpdesk.conversations.models import Conversation, Message
from helpdesk.prepared import Prepared
from social import wording
from social.models import Post, Thread

_MARKS: Final = Prepared(
    "social_marks",
    f"""
SELECT message.id AS message, post.id, coalesce(post.url, '') AS url, coalesce(post.exposes, '{{}}') AS exposes,
    coalesce(post.is_abusive, false) AS is_abusive, coalesce(post.versions, '[]') AS versions, post.edited_at,
    post.deleted_at, post.hidden_at, thread.is_public, thread.is_manual, post.person_id IS NOT NULL AS is_theirs,
    message.kind = 'outbound' AND post.id IS NULL AND message.delivery IN ('failed', 'pending') AS waits
FROM {Message._meta.db_table} AS message
JOIN {Conversation._meta.db_table} AS conversation ON conversation.id = message.conversation_id
JOIN {Thread._meta.db_table} AS thread ON thread.conversation_id = conversation.id
LEFT JOIN {Post._meta.db_table} AS post ON post.message_id = message.id
WHERE message.id = ANY(%(messages)s::bigint[])
""",
)


def of_messages(ids: Collection[int]) -> Mapping[int, Mapping[str, Any]]:
    """The marks of these messages by their ids, without those that are on no network. One statement.

    `exposes` are words for people, `versions` the earlier texts as (time, text), oldest first. `waits` is a message of
    ours that has not left: it can be posted by hand.
    """
    found = {}
    for row in _MARKS.mappings({"messages": sorted(ids)}):
        versions = row["versions"] if isinstance(row["versions"], list) else json.loads(row["versions"])
        row["versions"] = [(datetime.fromisoformat(one["at"]), str(one["text"])) for one in versions]
        row["exposes"] = [wording.PRIVATE.get(kind, kind) for kind in row["exposes"]]
        row["url"] = row["url"] if row["url"].startswith(("https://", "http://")) else ""
        found[row["message"]] = row
    return found
