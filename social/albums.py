"""Pictures that were sent together are one message: Telegram names the album, WhatsApp sends them one by one."""

from datetime import datetime, timedelta
from typing import Final

from helpdesk.conversations import elsewhere
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Message
from social import covering
from social.happenings import Said
from social.models import Account, Person, Post

# Whoever sends pictures one by one has sent them within that time; later ones are another message.
TOGETHER_WITHIN: Final = timedelta(seconds=30)


def first_of(account: Account, said: Said, person: Person) -> Post | None:
    """The post whose message these pictures belong to, if nobody has said anything since."""
    if not said.album or not said.media:
        return None
    known = Post.objects.filter(account=account, album=said.album[:100], person=person, part_of=None, deleted_at=None)
    near = known.filter(at__gte=said.at - TOGETHER_WITHIN, at__lte=said.at).exclude(message=None)
    first = near.select_related("message").order_by("-at", "-pk").first()
    if first is None or first.message is None:
        return None
    later = Message.objects.filter(conversation=first.message.conversation_id, pk__gt=first.message_id)
    # A greeting of ours says nothing new.
    said_since = later.exclude(kind=Message.Kind.NOTE).exclude(is_automatic=True)
    return None if said_since.exists() else first


def join(part: Post, *, at: datetime) -> Message:
    """The message, with this part's caption; its pictures follow once they are fetched."""
    first = part.part_of
    assert first is not None and first.message is not None, "it is a part of one"
    message = first.message
    lock(message.conversation_id)
    if part.text:
        Post.objects.filter(pk=first.pk).update(text=f"{first.text}\n\n{part.text}".strip())
        elsewhere.edited(message, f"{message.text}\n\n{part.text}" if first.text else part.text, at=at)
    if part.is_abusive and not first.is_abusive:
        Post.objects.filter(pk=first.pk).update(is_abusive=True)
        covering.cover_in_lists(message)
    return message
