"""Pages by SMS: one message in one segment, answered by a reply."""

import httpx

from helpdesk.events.safe_text import one_line
from helpdesk.events.sms_text import one_segment
from helpdesk.events.twilio_calls import TwilioCalls
from helpdesk.oncall import page_words
from helpdesk.oncall.page_words import say
from helpdesk.oncall.pagers.base import Notice, Sent, headline

STATUS_PATH = "/hooks/twilio/status/"


class SmsPager:
    """Sends to `notice.to`, an E.164 number, from `sender`: a number or the id of a messaging service (MG…)."""

    name = "sms"

    def __init__(self, twilio: TwilioCalls, sender: str, public_url: str) -> None:
        self._twilio, self._sender, self._public_url = twilio, sender, public_url

    @property
    def is_configured(self) -> bool:
        return self._twilio.is_configured and bool(self._sender)

    async def send(self, client: httpx.AsyncClient, notice: Notice) -> Sent:
        """The reference is the message's SID. A lost answer is Ambiguous: a page twice is better than none."""
        called_back = f"{self._public_url}{STATUS_PATH}?page={notice.page_id}"
        form = [
            ("To", notice.to),
            ("MessagingServiceSid" if self._sender.startswith("MG") else "From", self._sender),
            ("Body", page_text(notice)),
            ("StatusCallback", called_back),
        ]
        said = await self._twilio.create(client, "Messages", form)
        return Sent(str(said["sid"])[:64])


def page_text(notice: Notice) -> str:
    """What it says, always in one segment; how to answer is never cut off."""
    if notice.action != "trigger":
        return one_segment(one_line(headline(notice), 400))
    is_urgent = notice.urgency == "high"
    mark = f"{say(notice.language, page_words.URGENT)} " if is_urgent else ""
    which = "ALL" if notice.is_digest else str(notice.page_id)
    asks = page_words.REPLY_OR_PASS if is_urgent and not notice.is_digest else page_words.REPLY
    ending = say(notice.language, asks, ack=f"ACK {which}", pass_on=f"PASS {which}")
    return one_segment(mark + one_line(headline(notice), 400), f" {ending}")
