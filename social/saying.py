"""Somebody said something: it becomes a message of the one conversation that we have with them there."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import elsewhere
from helpdesk.conversations.incoming import REOPENS_WITHIN, lock
from helpdesk.conversations.models import DONE, Conversation, Message
from helpdesk.customers.lookup import columns, take
from helpdesk.events import private_data
from helpdesk.events.transactions import in_transaction
from helpdesk.prepared import Prepared
from social import abuse, albums, claiming, covering, live, people
from social.happenings import Said
from social.models import Account, Arrival, Person, Post, Thread
from social.outcome import Filed, filed, ignored

# All three are asked for whatever is said; the ORM would write the same SQL each time.
_IS_KNOWN = Prepared("post_is_known", f"SELECT 1 FROM {Post._meta.db_table} WHERE account_id = %s AND external_id = %s")
_GOES_ON = Prepared(
    "social_thread_goes_on",
    f"""
SELECT {columns(Conversation, "c")} FROM {Conversation._meta.db_table} c
WHERE channel = %s AND owner = %s AND thread = %s AND thread <> ''
""",
)
_WAKE = Prepared(
    "wake_arrivals",
    f"""
UPDATE {Arrival._meta.db_table} SET state = '{Arrival.State.ACCEPTED}', due_at = %(at)s, attempts = 0
WHERE account_id = %(account)s AND about = %(post)s AND state = '{Arrival.State.WAITING}'
""",
)


class StillSending(Exception):
    """It may be our own message, whose sending has not been written down yet: look again in a moment."""


@in_transaction
def file(account: Account, said: Said, arrival: Arrival, *, at: datetime) -> Filed:
    """File what was said, within the caller's transaction. Raises StillSending."""
    if _IS_KNOWN.row([account.pk, said.id[:250]]) is not None:
        return ignored("it is known already")
    if said.by_us or is_us(account, said):
        return _ours(account, said, at=at)
    person = people.seen(account, said.author, at=at)
    if person.is_staff:
        return ignored("one of us wrote it in private")
    if person.muted_at is not None or person.blocked_at is not None:
        keep_post(account, said, person, None)
        return ignored("who wrote it is muted or blocked")
    if claiming.claim(account, said, person, at=at) is not None:
        keep_post(account, said, person, None)
        return ignored("a code that links the account to a customer")
    first = albums.first_of(account, said, person)
    if first is not None:
        return filed(albums.join(keep_post(account, said, person, None, part_of=first), at=at).pk)
    message = _receive(account, said, person, at)
    if keep_post(account, said, person, message).is_abusive:
        covering.cover_in_lists(message)
    _wake_waiting(account, said.id, at)
    return filed(message.pk)


def _receive(account: Account, said: Said, person: Person, at: datetime) -> Message:
    known = conversation_of(account, said.thread)
    is_live = not said.is_public and live.is_included(account.network, person.customer, at=at)
    earlier = known if known is not None and _is_over(known, at) else None
    if earlier is not None:
        _set_free(earlier)
        known = None
    message = conversations.receive_message(
        conversations.Inbound(
            channel=account.network,
            customer=person.customer,
            # A provider's clock may run ahead of ours.
            at=min(said.at, at),
            text=said.text or words_for_media(said),
            subject=covering.subject_of(said.text),
            external_id=said.id,
            owner=owner_of(account),
            thread=said.thread[:255],
            conversation_id=known.pk if known is not None else None,
            previous_id=earlier.pk if earlier is not None else None,
            team_id=account.team_id,
            policy_id=account.policy_id if said.is_public else None,
            is_verified=False,
            is_live=is_live,
        )
    )
    _keep_thread(account, said, person, message.conversation_id)
    if known is None and account.network in live.CHANNELS:
        live.welcome(message.conversation_id, person.customer, said.author.language, is_live=is_live, at=at)
    return message


def _keep_thread(account: Account, said: Said, person: Person, conversation_id: int) -> None:
    thread, is_new = Thread.objects.get_or_create(
        conversation_id=conversation_id,
        defaults={
            "account": account,
            "person": person,
            "is_public": said.is_public,
            "root": (said.root or said.id)[:250],
            "url": address_of(account, said),
            "window_ends_at": None if said.is_public else said.window_ends_at,
        },
    )
    if is_new or thread.is_public or said.window_ends_at is None:
        return
    if thread.window_ends_at is None or thread.window_ends_at < said.window_ends_at:
        Thread.objects.filter(pk=thread.pk).update(window_ends_at=said.window_ends_at)


def _ours(account: Account, said: Said, *, at: datetime) -> Filed:
    """We said it ourselves, from the network's own page or another programme."""
    conversation = conversation_of(account, said.thread) or _answered(account, said)
    if conversation is None:
        keep_post(account, said, None, None)
        return ignored("our own post")
    conversation = lock(conversation.pk)
    if conversation.messages.filter(delivery=Message.Delivery.SENDING).exists():
        raise StillSending("a message of ours is just leaving")
    message = elsewhere.answered_elsewhere(
        conversation, said.text or words_for_media(said), at=min(said.at, at), external_id=said.id
    )
    keep_post(account, said, None, message)
    return filed(message.pk)


def is_us(account: Account, said: Said) -> bool:
    """A webhook that does not know whose it is tells us of ourselves like of anybody else."""
    ours = account.handle.lstrip("@").lower()
    return bool(ours) and said.author.handle.lstrip("@").lower() == ours


def _answered(account: Account, said: Said) -> Conversation | None:
    """The conversation of what we answered: below one post each person has their own. A forum names it by its number
    within the topic.
    """
    if not said.parent:
        return None
    named = Q(external_id=said.parent[:250]) | Q(root=said.root[:250], external_id__endswith=f":{said.parent}")
    known = Post.objects.filter(named, account=account).exclude(message=None).select_related("message__conversation")
    post = known.first()
    return post.message.conversation if post is not None and post.message is not None else None


def keep_post(
    account: Account, said: Said, person: Person | None, message: Message | None, *, part_of: Post | None = None
) -> Post:
    """What the network says of it, beside the message that it is."""
    media = [{"kind": one.kind, "url": one.url, "id": one.id, "name": one.name} for one in said.media]
    is_theirs = person is not None
    return Post.objects.create(
        account=account,
        external_id=said.id[:250],
        message=message,
        person=person,
        kind=said.kind,
        is_public=said.is_public,
        parent=said.parent[:250],
        root=(said.root or said.id)[:250],
        url=address_of(account, said),
        text=said.text,
        at=said.at,
        names_us=said.names_us,
        allows=list(said.allows),
        media=media,
        media_due_at=said.at if media and (message or part_of) is not None else None,
        album=said.album[:100],
        part_of=part_of,
        exposes=exposed(said.text) if is_theirs and said.is_public else [],
        is_abusive=is_theirs and abuse.is_abusive(said.text, settings.SOCIAL_ABUSE_WORDS),
    )


def exposed(text: str) -> list[str]:
    """What people say of themselves in public without thinking: kinds of private data."""
    return private_data.kinds(text, own=settings.PUBLIC_CONTACTS)


def _wake_waiting(account: Account, post_id: str, at: datetime) -> None:
    """What was told of the post before it came is filed now."""
    _WAKE.run({"account": account.pk, "post": post_id[:250], "at": at})


def conversation_of(account: Account, thread: str) -> Conversation | None:
    """The conversation that goes on in this thread of this account; two bots never share one."""
    row = _GOES_ON.row([account.network, owner_of(account), thread[:255]])
    return None if row is None else take(Conversation, row)[0]


def address_of(account: Account, said: Said) -> str:
    """Where people see it; a forum names its posts without itself."""
    return (f"{account.base_url.rstrip('/')}{said.url}" if said.url.startswith("/") else said.url)[:1000]


def owner_of(account: Account) -> str:
    return f"account:{account.pk}"


def _is_over(conversation: Conversation, at: datetime) -> bool:
    done_at = conversation.resolved_at
    return conversation.status in DONE and done_at is not None and at - done_at > REOPENS_WITHIN


def _set_free(conversation: Conversation) -> None:
    """It is long done: a new conversation takes over the thread, which only one may have."""
    lock(conversation.pk)
    Conversation.objects.filter(pk=conversation.pk).update(thread=f"{conversation.thread[:230]}~{conversation.pk}")


def words_for_media(said: Said) -> str:
    """Something to read where only pictures came."""
    return words_for_files([{"name": one.name, "kind": one.kind} for one in said.media])


def words_for_files(files: Sequence[Mapping[str, str]]) -> str:
    """The names of files, or what they are."""
    return " ".join(f"[{one['name'] or one['kind']}]" for one in files) or "[no text]"
