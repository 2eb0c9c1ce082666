"""What happens later to what was said: edits, deletions, delivery reports, people who leave, access that is taken away.

Told before the post itself has come, it waits for it; told twice or in another order, it changes nothing.
"""

from datetime import datetime

from django.conf import settings

from helpdesk.conversations import elsewhere
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import Message
from social import abuse, accounts, saying
from social.happenings import Edited, Reachable, Removed, Reported, Revoked
from social.models import Account, Person, Post
from social.network import network
from social.outcome import Filed, filed, ignored, waiting

NOT_THERE_YET = "the post has not come yet"


def edit(account: Account, edited: Edited, *, at: datetime) -> Filed:
    """The words changed; those before are kept as a version."""
    post = _post(account, edited.id)
    if post is None:
        return waiting(NOT_THERE_YET)
    if post.deleted_at is not None:
        return ignored("it was deleted")
    if post.edited_at is not None and post.edited_at >= edited.at:
        return ignored("a later edit came first")
    if post.text == edited.text:
        return ignored("the words are the same")
    versions = [*post.versions, {"at": (post.edited_at or post.at).isoformat(), "text": post.text}]
    is_abusive = post.is_abusive or abuse.is_abusive(edited.text, settings.SOCIAL_ABUSE_WORDS)
    Post.objects.filter(pk=post.pk).update(
        text=edited.text,
        edited_at=edited.at,
        versions=versions[-50:],
        is_abusive=is_abusive and post.person_id is not None,
        exposes=saying.exposed(edited.text) if post.is_public and post.person_id is not None else [],
    )
    if post.message is not None:
        lock(post.message.conversation_id)
        elsewhere.edited(post.message, edited.text or saying.words_for_files(post.media), at=at)
    return filed(post.message_id)


def remove(account: Account, removed: Removed, *, at: datetime) -> Filed:
    """It was deleted or brought back, or one of us has hidden it there or shown it again."""
    post = _post(account, removed.id)
    if post is None:
        return waiting(NOT_THERE_YET)
    if removed.how == "restored":
        return _restore(post, at)
    if removed.how != "deleted":
        Post.objects.filter(pk=post.pk).update(hidden_at=removed.at if removed.how == "hidden" else None)
        return filed(post.message_id)
    if post.deleted_at is not None:
        return ignored("it was deleted before")
    forget = {"text": "", "versions": []} if network(account.network).forgets_deleted else {}
    Post.objects.filter(pk=post.pk).update(deleted_at=removed.at, media=[], media_due_at=None, **forget)
    if post.message is not None:
        lock(post.message.conversation_id)
        elsewhere.deleted(post.message, at=at)
    return filed(post.message_id)


def _restore(post: Post, at: datetime) -> Filed:
    if post.deleted_at is None:
        return ignored("it is there")
    Post.objects.filter(pk=post.pk).update(deleted_at=None)
    if post.message is not None:
        lock(post.message.conversation_id)
        elsewhere.restored(post.message, post.text, at=at)
    return filed(post.message_id)


def report(account: Account, reported: Reported, *, at: datetime) -> Filed:
    """The network says what became of what we sent: of one message, or of all up to a time."""
    messages = _sent(account, reported)
    if not messages:
        return waiting(NOT_THERE_YET) if reported.id else ignored("nothing of ours was on the way")
    state = {
        "sent": Message.Delivery.SENT,
        "delivered": Message.Delivery.DELIVERED,
        "read": Message.Delivery.DELIVERED,
        "failed": Message.Delivery.FAILED,
    }[reported.state]
    for message in messages:
        lock(message.conversation_id)
        elsewhere.reported(message, state, at=at, error=reported.error)
    return filed(messages[-1].pk)


def _sent(account: Account, reported: Reported) -> list[Message]:
    if reported.id:
        post = _post(account, reported.id)
        return [post.message] if post is not None and post.message is not None else []
    posts = Post.objects.filter(
        account=account,
        person=None,
        at__lte=reported.at,
        message__conversation__social_thread__person__external_id=reported.person,
        message__delivery=Message.Delivery.SENT,
    )
    return [post.message for post in posts.select_related("message").order_by("pk") if post.message is not None]


def reach(account: Account, reachable: Reachable, *, at: datetime) -> Filed:
    """The person can be written to again, or no more."""
    since = None if reachable.is_reachable else reachable.at
    known = Person.objects.filter(account=account, external_id=reachable.person)
    if not known.exists():
        return ignored("we do not know this person")
    known.update(unreachable_at=since, updated_at=at)
    return filed()


def revoke(account: Account, revoked: Revoked, *, at: datetime) -> Filed:
    """Our access was taken away: nothing is sent until the account is connected again."""
    detail = revoked.detail or "the access was taken away on the network"
    accounts.set_state(account.pk, Account.State.REAUTH_REQUIRED, detail, at=at)
    return filed()


def _post(account: Account, external_id: str) -> Post | None:
    return Post.objects.select_related("message").filter(account=account, external_id=external_id[:250]).first()
