"""Pages by a phone call. Only a key acknowledges: a voicemail box that answers presses none."""

import httpx

from helpdesk.events import twiml
from helpdesk.events.safe_text import one_line
from helpdesk.events.twilio_calls import TwilioCalls
from helpdesk.oncall import page_words
from helpdesk.oncall.page_words import known, say
from helpdesk.oncall.pagers.base import Notice, Sent, headline
from helpdesk.oncall.pagers.sms import STATUS_PATH

VOICE_PATH = "/hooks/twilio/voice/"
RINGS_SECONDS = 30
# Said again, since the first words are lost while the phone goes to the ear.
TIMES_SAID = 3
# Three times, with every character escaped, it is still below Twilio's 4,000.
LONGEST_HEADLINE = 160


class VoicePager:
    """Calls `notice.to`, an E.164 number, from `sender`. What is said goes with the call, and is heard even where
    Twilio does not reach us; the key that is pressed has to.
    """

    name = "voice"

    def __init__(self, twilio: TwilioCalls, sender: str, public_url: str) -> None:
        self._twilio, self._sender, self._public_url = twilio, sender, public_url

    @property
    def is_configured(self) -> bool:
        # A messaging service cannot call.
        return self._twilio.is_configured and self._sender.startswith("+")

    async def send(self, client: httpx.AsyncClient, notice: Notice) -> Sent:
        """The reference is the call's SID."""
        form = [
            ("To", notice.to),
            ("From", self._sender),
            ("Twiml", page_call(notice, self._public_url)),
            ("Timeout", str(RINGS_SECONDS)),
            ("StatusCallback", f"{self._public_url}{STATUS_PATH}?page={notice.page_id}"),
        ]
        said = await self._twilio.create(client, "Calls", form)
        return Sent(str(said["sid"])[:64])


def page_call(notice: Notice, public_url: str) -> str:
    """What is said, as TwiML: at most 4,000 characters, as Twilio takes them."""
    language = known(notice.language)
    which = f"page={notice.page_id}&language={language}" + ("&all=1" if notice.is_digest else "")
    keys = say(language, page_words.ONE_KEY if notice.is_digest else page_words.KEYS)
    words = twiml.said(f"{spoken_page(notice)} {keys}", language)
    asked = [twiml.gather([words], action=f"{public_url}{VOICE_PATH}?{which}") for _ in range(TIMES_SAID)]
    return twiml.response(*asked, twiml.said(say(language, page_words.NO_KEY), language), twiml.hangup())


def spoken_page(notice: Notice) -> str:
    first = say(notice.language, page_words.URGENT_CALL if notice.urgency == "high" else page_words.CALL)
    return f"{first} {one_line(headline(notice), LONGEST_HEADLINE).rstrip('.')}."
