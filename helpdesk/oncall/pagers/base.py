"""What a page tells a person, and what every pager must be able to do with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

import httpx

from helpdesk.oncall import page_words
from helpdesk.oncall.page_words import say

Action = Literal["trigger", "acknowledge", "resolve"]
Urgency = Literal["high", "low"]


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One thing to tell one recipient about one page. Everything a pager needs; it asks nobody else.

    `to` is the address within the channel: an e-mail address, a Slack channel, the alias of a routing key.
    `provider_ref` is what `send` returned for the trigger, needed to change that message later ("C1:1700.1").
    `details` are short facts by field word: customer, organization, plan, number, priority, due …
    `late_by` is how long after its time the page leaves, None when it is on time.
    `tried_since` is set where an earlier attempt may have arrived: not before then.
    `attempt` counts tries of this very delivery; `round` counts how often this recipient is told the same on purpose
    (escalation loops), so that a mail system does not fold the second call into the first as a duplicate. A `is_digest`
    one stands for several pages at once, `page_id` being the first of them. `language` is that of the words around what
    it is about, as far as the channel speaks it (helpdesk.oncall.page_words).
    """

    page_id: int
    dedup_key: str
    action: Action
    urgency: Urgency
    summary: str
    url: str
    occurred_at: datetime
    acknowledge_url: str = ""
    reasons: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    late_by: timedelta | None = None
    to: str = ""
    recipient_name: str = ""
    provider_ref: str = ""
    tried_since: datetime | None = None
    attempt: int = 1
    round: int = 1
    acknowledged_by: str = ""
    is_digest: bool = False
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Sent:
    """It was delivered: the provider's id of it (may be empty), and what the operator should know nevertheless."""

    reference: str = ""
    remark: str = ""


class Pager(Protocol):
    """One way to reach the person on call."""

    name: str

    @property
    def is_configured(self) -> bool:
        """Whether the operator has set what this way needs."""

    async def send(self, client: httpx.AsyncClient, notice: Notice) -> Sent:
        """Deliver, or raise a `helpdesk.events.outcomes.DeliveryError`."""


def headline(notice: Notice) -> str:
    """The summary with what the reader must know first: that it is over, or how late it is."""
    if notice.action == "resolve":
        return say(notice.language, page_words.RESOLVED, what=notice.summary)
    if notice.action == "acknowledge":
        return say(notice.language, page_words.ACKNOWLEDGED, what=notice.summary)
    if notice.late_by is not None and notice.late_by >= timedelta(minutes=1):
        return say(notice.language, page_words.LATE, span=spoken(notice.late_by), what=notice.summary)
    return notice.summary


def spoken(span: timedelta) -> str:
    """A length of time in whole minutes, as people say it: "42 min", "2 h 5 min", "3 d 1 h"."""
    minutes = int(span.total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "less than a minute"


def label(field_word: str, language: str = page_words.FALLBACK) -> str:
    """ "first_response" as a caption: "First response"; in that language where there is a word for it."""
    word = page_words.named(language, field_word)
    return word[:1].upper() + word[1:]
