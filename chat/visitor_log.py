"""A conversation as its visitor may see it: the public events above a number, as frames, in order and without a gap."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.core import signing
from django.urls import reverse

from chat.frames import milliseconds
from chat.models import ChatAgent
from helpdesk.conversations import emoji
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers.models import Customer, User
from helpdesk.events.models import Event
from helpdesk.prepared import Prepared

Frame = dict[str, Any]
MOST: Final = 200
FILE_SALT: Final = "chat.file"
# So much of a picture's digest stands in its address.
PICTURE_DIGITS: Final = 16
_COLUMNS: Final = f"""
SELECT event.conversation_id, event.public_seq, event.kind, event.at, event.data, event.actor_kind,
       message.id, message.kind, message.client_id, message.text, message.html, message.via, message.is_automatic,
       coalesce(nullif(seen.public_name, ''), split_part(agent.name, ' ', 1)) AS agent,
       coalesce(seen.picture, '') AS picture, coalesce(seen.is_shown, true) AS is_shown, agent.id,
       (SELECT json_agg(json_build_object('id', file.id, 'name', file.name, 'type', file.content_type,
               'size', file.size) ORDER BY file.id)
        FROM {Attachment._meta.db_table} AS file WHERE file.message_id = message.id) AS files,
       customer.name AS customer
"""
_JOINS: Final = f"""
LEFT JOIN {Message._meta.db_table} AS message ON message.conversation_id = event.conversation_id
    AND message.kind <> 'note' AND message.via <> 'forward' AND message.id = CASE
        WHEN jsonb_typeof(event.data -> 'message') = 'number' THEN (event.data ->> 'message')::bigint END
LEFT JOIN {User._meta.db_table} AS agent ON agent.id = coalesce(message.agent_id, event.actor_id)
LEFT JOIN {ChatAgent._meta.db_table} AS seen ON seen.user_id = agent.id
LEFT JOIN {Customer._meta.db_table} AS customer ON customer.id = message.customer_id
"""
_AFTER = Prepared(
    "visitor_events",
    f"""{_COLUMNS}
FROM unnest(%s::bigint[], %s::bigint[]) AS asked(conversation_id, upto)
JOIN LATERAL (
    SELECT * FROM {Event._meta.db_table} AS one
    WHERE one.conversation_id = asked.conversation_id AND one.public_seq > asked.upto
    ORDER BY one.public_seq LIMIT %s
) AS event ON true
{_JOINS}
ORDER BY event.conversation_id, event.public_seq
""",
)
_BEFORE = Prepared(
    "visitor_events_before",
    f"""{_COLUMNS}
FROM (SELECT * FROM {Event._meta.db_table} WHERE conversation_id = %s AND public_seq < %s
      ORDER BY public_seq DESC LIMIT %s) AS event
{_JOINS}
ORDER BY event.public_seq
""",
)
_HEADS = Prepared(
    "visitor_heads",
    f"SELECT id, last_public_seq FROM {Conversation._meta.db_table} WHERE id = ANY(%s::bigint[])",
)
_SAID: Final = ("conversation.opened", "message.received", "message.written")
_SYSTEM: Final = {
    "chat.joined": "joined",
    "chat.handed_on": "handed",
    "chat.converted": "converted",
    "chat.ended": "ended",
    "chat.address_asked": "address",
}
_NUMBER = Prepared(
    "number_of_message",
    f"""
SELECT public_seq FROM {Event._meta.db_table}
WHERE conversation_id = %s AND public_seq IS NOT NULL AND data @> jsonb_build_object('message', %s::bigint)
ORDER BY public_seq LIMIT 1
""",
)


def after(positions: Mapping[int, int], limit: int = MOST) -> dict[int, list[Frame]]:
    """For each conversation the frames above the number given for it, at most `limit` each; one statement."""
    found: dict[int, list[Frame]] = {}
    for row in _AFTER.rows([list(positions), list(positions.values()), limit]):
        found.setdefault(row[0], []).append(_frame(row))
    return found


def before(conversation_id: int, number: int, limit: int) -> list[Frame]:
    """The last `limit` frames below a number, oldest first."""
    return [_frame(row) for row in _BEFORE.rows([conversation_id, number, limit])]


def heads(conversation_ids: Sequence[int]) -> dict[int, int]:
    """The last public number of each."""
    return dict(_HEADS.rows([list(conversation_ids)]))


def _frame(row: Sequence[Any]) -> Frame:
    _conversation, number, kind, at, data, *rest = row
    told = json.loads(data)
    if kind in _SAID and rest[1] is not None:
        return {"t": "msg.new", "seq": number, "d": _message(rest, at)}
    if kind == "message.taken_back":
        return {"t": "msg.del", "seq": number, "d": {"id": f"m_{told.get('message')}"}}
    if kind == "chat.asked":
        return {"t": "csat.ask", "seq": number, "d": {"at": milliseconds(at)}}
    if kind in _SYSTEM:
        by = _agent(rest) if rest[0] == "agent" else {"k": rest[0]}
        return {"t": "sys", "seq": number, "d": {"k": _SYSTEM[kind], "by": by, "at": milliseconds(at), **_extra(told)}}
    return {"t": "conv.update", "seq": number, "d": {"kind": kind, "at": milliseconds(at), **_status(kind, told)}}


def _message(rest: Sequence[Any], at: datetime) -> Frame:
    actor, pk, kind, client_id, text, html, via, is_automatic, *_people, files, customer = rest
    if kind == "inbound":
        by = {"k": "customer", "name": customer or ""}
    # A set phrase is said by the agent who chose it.
    elif is_automatic and actor != "agent":
        by = {"k": "system"}
    else:
        by = _agent(rest)
    return {
        "id": f"m_{pk}",
        "cid": None if client_id is None else str(client_id),
        "by": by,
        "text": text,
        # What a customer sent is shown as text: only our own markup is passed on.
        "html": html if kind == "outbound" else "",
        "files": [_file(one) for one in files or []],
        "big": emoji.is_big(text),
        "via": via,
        "at": milliseconds(at),
    }


def _agent(rest: Sequence[Any]) -> Frame:
    name, picture, is_shown, pk = rest[8:12]
    shown: Frame = {"k": "agent", "name": (name or "") if is_shown else ""}
    if picture and is_shown:
        shown["avatar"] = reverse("chat:picture", args=[pk, picture[:PICTURE_DIGITS]])
    return shown


def _file(one: Mapping[str, Any]) -> Frame:
    url = reverse("chat:file", args=[signing.dumps(one["id"], salt=FILE_SALT)])
    return {"id": one["id"], "name": one["name"], "type": one["type"], "size": one["size"], "url": url}


def _extra(told: Mapping[str, Any]) -> Frame:
    return {key: told[key] for key in ("number", "subject") if key in told}


def _status(kind: str, told: Mapping[str, Any]) -> Frame:
    if "status" in told:
        return {"status": told["status"]}
    return {"status": "open"} if kind == "conversation.reopened" else {}


def number_of(conversation_id: int, message_id: int) -> int:
    """The public number under which a message stands in the log."""
    row = _NUMBER.row([conversation_id, message_id])
    assert row is not None, "every public message was recorded"
    number: int = row[0]
    return number
