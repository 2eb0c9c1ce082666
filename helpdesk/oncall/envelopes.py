"""What to send for which deliveries: mostly one each; a burst for one person becomes a digest, or waits for one."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from helpdesk.oncall import notices
from helpdesk.oncall.models import Page, PageDelivery, Urgency
from helpdesk.oncall.pagers import Notice
from helpdesk.oncall.storm import Limit, allowed_at

# More than this many messages to one person within a minute become a digest that names them all.
DIGEST_ABOVE = 3
BURST: Final = timedelta(seconds=60)
_LIMITS: Final[tuple[Limit, ...]] = ((DIGEST_ABOVE, BURST),)
# Channels that tell the end of a page by changing the message of its beginning, and cannot without one.
EDITED: Final = ("slack", "telegram")


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message, and the deliveries it settles."""

    deliveries: Sequence[PageDelivery]
    notice: Notice


@dataclass(slots=True)
class SortedOut:
    """`outdated` says nothing any more; `too_much` waits until `not_before` and then leaves together."""

    to_send: list[Envelope] = field(default_factory=list)
    outdated: list[PageDelivery] = field(default_factory=list)
    too_much: list[PageDelivery] = field(default_factory=list)
    not_before: dict[str, datetime] = field(default_factory=dict)


def envelopes(batch: Sequence[PageDelivery], now: datetime, *, personal: bool) -> SortedOut:
    """Sort a claimed batch of one channel."""
    result = SortedOut()
    references = _references(batch)
    bursts: dict[str, list[PageDelivery]] = defaultdict(list)
    for delivery in batch:
        reference = references.get((delivery.page_id, delivery.to), "")
        if _is_outdated(delivery, reference):
            result.outdated.append(delivery)
        elif personal and delivery.action == PageDelivery.Action.TRIGGER:
            bursts[delivery.to].append(delivery)
        else:
            result.to_send.append(Envelope([delivery], notices.notice(delivery, now, reference)))
    history = _recent(bursts.keys(), batch[0].channel, now)
    for to, burst in bursts.items():
        _gather(result, to, burst, history.get(to, []), now)
    return result


def _gather(result: SortedOut, to: str, burst: list[PageDelivery], history: Sequence[datetime], now: datetime) -> None:
    allowed = allowed_at(history, now, _LIMITS)
    if allowed > now:
        result.too_much += burst
        result.not_before[to] = allowed
    elif len(burst) + len(history) > DIGEST_ABOVE and len(burst) > 1:
        result.to_send.append(Envelope(burst, notices.digest(burst, now)))
    else:
        result.to_send += _with_one_list(burst, now)


def _with_one_list(burst: list[PageDelivery], now: datetime) -> list[Envelope]:
    """Each call by itself, but what woke nobody and waited is one list, however short."""
    waited = [delivery for delivery in burst if delivery.page.urgency == Urgency.LOW]
    if len(waited) < 2:
        return [Envelope([delivery], notices.notice(delivery, now)) for delivery in burst]
    rest = [delivery for delivery in burst if delivery.page.urgency != Urgency.LOW]
    return [*_with_one_list(rest, now), Envelope(waited, notices.digest(waited, now))]


def _is_outdated(delivery: PageDelivery, reference: str) -> bool:
    """A call for a page that somebody answered meanwhile; the end of a page whose beginning was never told."""
    if delivery.action == PageDelivery.Action.TRIGGER:
        return delivery.page.state != Page.State.TRIGGERED
    return delivery.channel in EDITED and not reference


def _references(batch: Sequence[PageDelivery]) -> dict[tuple[int, str], str]:
    """The provider's id of the message each follow-up changes: the newest one."""
    pages = [d.page_id for d in batch if d.action != PageDelivery.Action.TRIGGER]
    if not pages:
        return {}
    sent = PageDelivery.objects.filter(
        page_id__in=pages, channel=batch[0].channel, action=PageDelivery.Action.TRIGGER, state=PageDelivery.State.SENT
    )
    return {(d.page_id, d.to): d.provider_ref for d in sent.exclude(provider_ref="").order_by("pk")}


def _recent(addresses: Iterable[str], channel: str, now: datetime) -> dict[str, list[datetime]]:
    """When each of these addresses was written to in the last minute; a digest counts once."""
    found: dict[str, set[tuple[datetime, str]]] = defaultdict(set)
    sent = PageDelivery.objects.filter(
        to__in=list(addresses),
        channel=channel,
        action=PageDelivery.Action.TRIGGER,
        state=PageDelivery.State.SENT,
        sent_at__gt=now - BURST,
        sent_at__lte=now,
    )
    for to, sent_at, reference in sent.values_list("to", "sent_at", "provider_ref").distinct():
        if sent_at is not None:
            found[to].add((sent_at, reference))
    return {to: [moment for moment, _ in moments] for to, moments in found.items()}
