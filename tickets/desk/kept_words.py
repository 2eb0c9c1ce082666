"""What somebody typed whose login had run out: kept in their session until they are logged in again.

Bounded in size and number, since anybody can send it.
"""

from datetime import datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import User
from tickets import limits
from tickets.desk import drafts
from tickets.desk.models import Draft

LONGEST = 100_000
WINDOW = timedelta(minutes=10)
MOST_A_WINDOW = 30
KEY = "kept_words"
_HOUR = 3600


def keep(session: SessionBase, conversation_id: int, kind: str, text: str, *, caller: str, at: datetime) -> bool:
    """Whether the words were kept; `caller` is whom their number is counted for, such as an IP address."""
    if not text.strip() or len(text) > LONGEST or limits.count(f"kept:{caller}", WINDOW, at) > MOST_A_WINDOW:
        return False
    session[KEY] = {"conversation": conversation_id, "kind": "note" if kind == "note" else "reply", "text": text}
    session.set_expiry(_HOUR)
    return True


def forget(session: SessionBase, conversation_id: int, said: str) -> None:
    """What waits was sent after all, perhaps with more behind it: logged in in another tab, pressed once more."""
    kept = session.get(KEY)
    if not isinstance(kept, dict) or kept.get("conversation") != conversation_id:
        return
    if said.strip().startswith(str(kept["text"]).strip()):
        del session[KEY]


def restore(session: SessionBase, conversation: Conversation, user: User, *, at: datetime) -> bool:
    """Whether words of this conversation were waiting: they are the agent's draft now, behind what was in it."""
    kept = session.get(KEY)
    if not isinstance(kept, dict) or kept.get("conversation") != conversation.pk:
        return False
    del session[KEY]
    there = Draft.objects.filter(conversation=conversation, user=user).values_list("text", flat=True).first() or ""
    text = str(kept["text"])
    # A draft is saved while one types: usually it is the beginning of what was sent.
    whole = text if text.startswith(there) else f"{there}\n\n{text}"
    drafts.keep(conversation, user, str(kept["kind"]), whole, at=at)
    return True
