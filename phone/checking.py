"""A test of what an admin has set up at Twilio: the account, the number we call from, and where our numbers lead."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from helpdesk.desk.checks import BROKEN, DOUBTFUL, WORKS, Finding, heard, reachable
from helpdesk.events.outcomes import DeliveryError
from phone import accounts, told
from phone.models import Line

HOOKS: Final = "/hooks/twilio"
# Twilio's names for where a number leads: https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
_LEADS: Final = (("voice_url", "voice"), ("status_callback", "status"), ("sms_url", "sms"))
MOST_LINES: Final = 10


def check(*, at: datetime) -> list[Finding]:
    """Each part as it stands now; Twilio is asked once for the account and once for each number."""
    if not accounts.is_connected():
        return [Finding(_("Account"), BROKEN, _("Not connected: account SID or auth token is missing."))]
    found = accounts.probe(at=at)
    if found.state != accounts.CONNECTED:
        return [Finding(_("Account"), BROKEN, found.detail)]
    lines = list(Line.objects.filter(is_active=True).order_by("name")[:MOST_LINES])
    return [
        Finding(_("Account"), WORKS, _("Twilio takes our SID and token.")),
        _sender(),
        *(finding for line in lines for finding in _line(line)),
        *(
            []
            if lines
            else [Finding(_("Emergency phone"), DOUBTFUL, _("No number is set up that customers may call."))]
        ),
        reachable(),
        heard(told.PROVIDER, _("None has come yet. Call the number, and look again.")),
    ]


def _sender() -> Finding:
    words, sender = _("Calls and texts come from"), accounts.sender()
    if not sender:
        return Finding(words, BROKEN, _("No number is set: nobody is called or written to."))
    if not accounts.can_call():
        return Finding(words, DOUBTFUL, _("A messaging service sends texts, but cannot call: on-call is not rung."))
    try:
        number = _number(sender)
    except DeliveryError as error:
        return Finding(words, DOUBTFUL, error.reason)
    if number is None:
        return Finding(words, DOUBTFUL, _("%s is not among this account's numbers; is it verified there?") % sender)
    able = number.get("capabilities")
    lacks = [one for one in ("voice", "sms") if isinstance(able, dict) and able.get(one) is False]
    if lacks:
        return Finding(
            words, DOUBTFUL, _("%(number)s cannot do: %(what)s") % {"number": sender, "what": ", ".join(lacks)}
        )
    return Finding(words, WORKS, sender)


def _line(line: Line) -> Iterable[Finding]:
    words = f"{line.name}, {line.number}"
    try:
        number = _number(line.number)
    except DeliveryError as error:
        return [Finding(words, DOUBTFUL, error.reason)]
    if number is None:
        return [Finding(words, BROKEN, _("It is not among this account's numbers."))]
    wrong = [(f"{settings.PUBLIC_URL}{HOOKS}/{path}/", number.get(key)) for key, path in _LEADS]
    amiss = [(ours, str(theirs or "—")[:200]) for ours, theirs in wrong if theirs != ours]
    if not amiss:
        return [Finding(words, WORKS, _("It leads here."))]
    told_so = _("Enter %(ours)s at the number; now it says %(theirs)s")
    return [Finding(words, BROKEN, told_so % {"ours": ours, "theirs": theirs}) for ours, theirs in amiss]


def _number(number: str) -> Mapping[str, Any] | None:
    """What Twilio knows of a number of ours. Raises a DeliveryError."""
    said = accounts.get("IncomingPhoneNumbers", [("PhoneNumber", number)])
    listed = said.get("incoming_phone_numbers")
    rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return next((one for one in rows if one.get("phone_number") == number), None)
