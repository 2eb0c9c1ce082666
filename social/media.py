"""Pictures and files of posts, fetched once and kept: the networks' addresses expire."""

import logging
from datetime import datetime, timedelta
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
from social.models import Post
from social.network import network

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=120)
BACKOFF_SECONDS: Final = (10, 60, 300, 1800, 7200)


def fetch_due(*, at: datetime, most: int = 50) -> int:
    """Fetch what is due; how many posts were looked at."""
    done = 0
    for _ in range(most):
        post = _claim(at)
        if post is None:
            break
        fetch(post, at=at)
        done += 1
    return done


@transaction.atomic
def _claim(at: datetime) -> Post | None:
    due = Post.objects.select_for_update(skip_locked=True).filter(media_due_at__lte=at)
    post = due.order_by("media_due_at").first()
    if post is None:
        return None
    Post.objects.filter(pk=post.pk).update(media_due_at=at + LEASE, media_attempts=post.media_attempts + 1)
    return Post.objects.select_related("account", "message").get(pk=post.pk)


def fetch(post: Post, *, at: datetime) -> None:
    """Fetch what is missing of a post. What will never come says so; what may come is tried again."""
    files, left = [], []
    may_come = post.media_attempts < len(BACKOFF_SECONDS)
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
    wait = BACKOFF_SECONDS[min(post.media_attempts, len(BACKOFF_SECONDS)) - 1]
    mine = Post.objects.filter(pk=post.pk, media_attempts=post.media_attempts, deleted_at=None)
    if not mine.update(media=left, media_due_at=at + timedelta(seconds=wait) if waits else None):
        return  # it was deleted meanwhile, or another worker has fetched it after our lease
    if files and post.message is not None:
        lock(post.message.conversation_id)
        elsewhere.completed(post.message, files, at=at)
