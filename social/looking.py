"""Networks that tell nobody of edits and deletions are asked: posts of the last days are looked at again in turn."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from helpdesk.events.outcomes import DeliveryError
from social.happenings import Batch, Removed
from social.models import Account, Post
from social.network import Connection, LooksAgain, network

EVERY: Final = timedelta(minutes=5)
WITHIN: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look brought, and what to remember in the account's cursor for the next one."""

    batch: Batch
    kept: Mapping[str, Any]


def again(account: Account, connection: Connection, *, at: datetime) -> Looked:
    """Look at the next few posts, if it is time and the network needs it. What fails is looked at the next time."""
    way, kept = network(account.network), dict(account.cursor.get("looked", {}))
    if not isinstance(way, LooksAgain) or at < _last(kept) + EVERY:
        return Looked(Batch(), kept)
    theirs = Post.objects.filter(account=account, deleted_at=None, at__gte=at - WITHIN).exclude(person=None)
    below = theirs.filter(pk__lt=kept["below"]) if kept.get("below") else theirs
    posts = list(below.order_by("-pk").values_list("pk", "external_id")[: way.most_looked_at])
    remembered = {
        "at": int(at.timestamp()),
        "below": posts[-1][0] if len(posts) == way.most_looked_at else 0,
        "missing": kept.get("missing", []),
    }
    if not posts:
        return Looked(Batch(), remembered)
    try:
        found = way.look_again(connection, [external_id for _pk, external_id in posts], at=at)
    except DeliveryError:
        return Looked(Batch(), {**kept, "at": remembered["at"]})
    batch, missing = _twice_missing(found, remembered["missing"])
    return Looked(batch, {**remembered, "missing": missing})


def _last(kept: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(kept.get("at", 0)), UTC)


def _twice_missing(batch: Batch, before: list[str]) -> tuple[Batch, list[str]]:
    """What is missing once may be a hiccup of the network's; the second time it is gone."""
    missing = [one.id for _account, one in batch.happenings if isinstance(one, Removed)]
    sure = tuple(
        (account, one) for account, one in batch.happenings if not isinstance(one, Removed) or one.id in before
    )
    looked_at = {one.id for _account, one in batch.happenings if hasattr(one, "id")}
    waits = [one for one in before if one not in looked_at] + [one for one in missing if one not in before]
    return replace(batch, happenings=sure), waits[-200:]
