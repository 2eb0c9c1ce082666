"""Calling one provider for a batch of messages: side by side, within a time, and not against a wall."""

import asyncio
import logging
from collections.abc import Callable, Sequence

import httpx

from helpdesk.events.outcomes import Ambiguous, DeliveryError, NeverRetry, RetryLater
from helpdesk.events.provider_calls import ProviderClients
from helpdesk.events.safe_text import one_line
from helpdesk.oncall.envelopes import Envelope
from helpdesk.oncall.pagers import Pager, Sent
from helpdesk.oncall.records import Outcome

logger = logging.getLogger(__name__)

AT_ONCE = 8
# So many calls in a row that did not get through, and the rest of the batch is not tried now.
GIVES_UP_AFTER = 3
NOT_TRIED = RetryLater("not tried: the provider does not answer")
NO_TIME = RetryLater("not tried: no time was left in this round")


class _Channel:
    """What the batch has learned about its provider so far."""

    def __init__(self, pager: Pager | None, clients: ProviderClients, has_time: Callable[[], bool]) -> None:
        self._pager = pager
        self._clients = clients
        self._has_time = has_time
        self._failures = 0
        self._told_to_wait: dict[str, RetryLater] = {}

    async def send(self, envelope: Envelope) -> list[Outcome]:
        async with self._clients.one() as client:
            not_now = self._why_not(envelope.notice.to)
            if not_now is not None:
                return [Outcome(delivery, error=not_now, tried=False) for delivery in envelope.deliveries]
            sent, error = await self._call(envelope, client)
        self._learn(envelope.notice.to, error)
        return [Outcome(delivery, sent.reference, error, remark=sent.remark) for delivery in envelope.deliveries]

    def _why_not(self, to: str) -> RetryLater | None:
        if to in self._told_to_wait:
            return self._told_to_wait[to]
        if self._failures >= GIVES_UP_AFTER:
            return NOT_TRIED
        return None if self._has_time() else NO_TIME

    def _learn(self, to: str, error: DeliveryError | None) -> None:
        if error is None or isinstance(error, NeverRetry):
            self._failures = 0
            return
        self._failures += 1
        if isinstance(error, RetryLater) and error.after is not None:
            self._told_to_wait[to] = error
            self._failures = 0

    async def _call(self, envelope: Envelope, client: httpx.AsyncClient) -> tuple[Sent, DeliveryError | None]:
        if self._pager is None:
            return Sent(), NeverRetry("this channel is not configured")
        try:
            return await self._pager.send(client, envelope.notice), None
        except DeliveryError as error:
            return Sent(), error
        except Exception as error:
            logger.exception("pager %s failed on page %s", self._pager.name, envelope.notice.page_id)
            return Sent(), Ambiguous(one_line(f"{error.__class__.__name__}: {error}", 500))


async def send_all(
    envelopes: Sequence[Envelope], pager: Pager | None, clients: ProviderClients, has_time: Callable[[], bool]
) -> list[Outcome]:
    """One outcome a delivery. What `has_time` or the provider's state leaves no room for comes back untried."""
    channel = _Channel(pager, clients, has_time)
    results = await asyncio.gather(*(channel.send(envelope) for envelope in envelopes))
    return [outcome for outcomes in results for outcome in outcomes]
