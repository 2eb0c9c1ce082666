"""Pictures and files of posts, fetched once and kept: the networks' addresses expire."""

from datetime import datetime
from typing import Final

from django.db import transaction

from helpdesk.conversations import elsewhere
from helpdesk.conversations.channel import File
from helpdesk.conversations.content_types import sniff
from helpdesk.conversations.filenames import safe_name
from helpdesk.conversations.incoming import lock
from helpdesk.events.outcomes import DeliveryError, NeverRetry
from social import accounts
from social.happenings import Media
from social.leases import Lease
from social.models import Post
from social.network import network

LEASE: Final = Lease((10, 60, 300, 1800, 7200), due="media_due_at", attempts="media_attempts")


def fetch_due(*, at: datetime, most: int = 50) -> int:
    """Fetch what is due; how many posts were looked at."""
    return LEASE.each(Post.objects.select_related("account", "message", "part_of__message"), _fetch, at=at, most=most)


def _fetch(post: Post, at: datetime) -> None:
    """Fetch what is missing of a post. What will never come says so; what may come is tried again."""
    files, left = [], []
    may_come = post.media_attempts < len(LEASE.backoff)
    for one in post.media:
        if one.get("state"):
            left.append(one)
            continue
        try:
            files.append(_file(post, one))
            left.append({**one, "state": "fetched", "url": ""})
        except (DeliveryError, ValueError) as error:
            final = isinstance(error, NeverRetry) or not may_come
            left.append({**one, "state": f"not fetched: {error}"[:300]} if final else one)
    _keep(post, files, left, at)


def _file(post: Post, one: dict[str, str]) -> File:
    wanted = Media(kind=one["kind"], url=one["url"], id=one["id"], name=one["name"])
    name, content = network(post.account.network).fetch(accounts.opened(post.account), wanted)
    return File(name=safe_name(name, wanted.kind or "file"), content_type=sniff(content, name, ""), content=content)


@transaction.atomic
def _keep(post: Post, files: list[File], left: list[dict[str, str]], at: datetime) -> None:
    waits = any(not one.get("state") for one in left)
    mine = Post.objects.filter(pk=post.pk, media_attempts=post.media_attempts, deleted_at=None)
    if not mine.update(media=left, media_due_at=at + LEASE.wait(post.media_attempts) if waits else None):
        return  # it was deleted meanwhile, or another worker has fetched it after our lease
    message = post.part_of.message if post.part_of is not None else post.message
    if files and message is not None:
        lock(message.conversation_id)
        elsewhere.completed(message, files, at=at)
