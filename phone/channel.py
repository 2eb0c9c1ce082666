"""The way out for answers to callers and to writers of text messages: an SMS to their number."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from django.conf import settings
from django.utils.timezone import now

from helpdesk.conversations.models import Message
from helpdesk.events.outcomes import DeliveryError, NeverRetry
from helpdesk.events.sms_text import LONGEST, count
from helpdesk.events.twilio_calls import OPTED_OUT, TwilioRefused
from phone import accounts, callers, texts
from phone.models import TextMessage

SKEW: Final = timedelta(minutes=1)
STATUS_PATH: Final = "/hooks/twilio/status/"


@dataclass(frozen=True, slots=True)
class ReadyText:
    """One message of ours; `form` is what Twilio is given."""

    message_id: int
    number: str
    form: list[tuple[str, str]]

    def send(self) -> str:
        """The message's SID. Raises a DeliveryError; who has opted out is remembered."""
        try:
            said = accounts.create("Messages", self.form)
        except TwilioRefused as error:
            if error.code == OPTED_OUT:
                texts.opt_out(self.number, "Twilio says so (21610)", at=now())
            raise
        sid = str(said["sid"])
        known = {"sid": sid, "to_number": self.number, "segments": _segments(said), "status": "", "error_code": 0}
        TextMessage.objects.update_or_create(message_id=self.message_id, defaults={**known, "updated_at": now()})
        return sid


class SmsChannel:
    """Answers conversations of the channels `phone` and `sms`."""

    def prepare(self, message: Message, *, at: datetime) -> ReadyText:
        """Raises NeverRetry for what no SMS can carry, and where there is nowhere to send it."""
        if not accounts.can_text():
            raise NeverRetry("Twilio is not connected, or has no number of ours to write from")
        number = callers.number_of(message.conversation)
        if not number:
            raise NeverRetry("the caller withheld their number: there is nowhere to write to")
        refused = texts.has_opted_out(number)
        if refused is not None:
            raise NeverRetry(f"{number} wants no text messages (STOP), since {refused.since:%Y-%m-%d}")
        length = count(message.text)
        if length.is_too_long:
            raise NeverRetry(f"{length.characters} characters; a text message has at most {LONGEST}")
        if message.attachments.exists():
            raise NeverRetry("a text message carries no files")
        return ReadyText(message.pk, number, _form(message, number))

    def has_sent(self, message: Message) -> bool | None:
        """What we or Twilio know of it; Twilio lists what it has taken."""
        if TextMessage.objects.filter(message=message).exclude(sid="").exists():
            return True
        number = callers.number_of(message.conversation)
        try:
            said = accounts.get("Messages", [("To", number), ("PageSize", "50")])
        except DeliveryError:
            return None
        listed = said.get("messages")
        return any(_is_it(one, message) for one in listed) if isinstance(listed, list) else None


def _form(message: Message, number: str) -> list[tuple[str, str]]:
    own = message.conversation.owner
    # People are answered from the number they know, where it is one of ours for texts.
    is_known = message.conversation.channel == callers.TEXT and own.startswith("+")
    told_at = f"{settings.PUBLIC_URL}{STATUS_PATH}?message={message.pk}"
    return [*accounts.text_form(number, message.text, own if is_known else ""), ("StatusCallback", told_at)]


def _is_it(one: Any, message: Message) -> bool:
    if not isinstance(one, dict) or not str(one.get("direction", "")).startswith("outbound"):
        return False
    try:
        created = parsedate_to_datetime(str(one.get("date_created", "")))
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
    if created.tzinfo is None:
        return False
    return one.get("body") == message.text and created >= message.at - SKEW


def _segments(said: dict[str, Any]) -> int:
    found = str(said.get("num_segments") or "")
    return min(int(found), 20) if found.isascii() and found.isdigit() and len(found) < 4 else 1
