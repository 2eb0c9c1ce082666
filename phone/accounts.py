"""Our account with Twilio, and whether it works: asked every quarter of an hour."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asgiref.sync import async_to_sync

from helpdesk.events.actions import beat
from helpdesk.events.models import Heartbeat
from helpdesk.events.nudge import nudge
from helpdesk.events.outcomes import DeliveryError, NeverRetry
from helpdesk.events.provider_calls import provider_client
from helpdesk.events.safe_text import one_line
from helpdesk.events.twilio_calls import TwilioCalls
from helpdesk.oncall.twilio_account import credentials

logger = logging.getLogger(__name__)

NAME: Final = "twilio_account"
PROBE: Final = "phone.tasks.probe_twilio"
NOT_CONNECTED, CONNECTED, DEGRADED, REAUTH = "not_connected", "connected", "degraded", "reauth_required"


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the account, why, and when that was asked."""

    state: str
    detail: str = ""
    at: datetime | None = None


def twilio() -> TwilioCalls:
    """Cheap enough to make each time, so that a changed setting holds at once."""
    return credentials().calls()


def is_connected() -> bool:
    return twilio().is_configured


def can_text() -> bool:
    return credentials().can_text


def can_call() -> bool:
    """A messaging service (MG…) has no number of its own to call from."""
    return credentials().can_call


def sender() -> str:
    """The number that calls and texts come from, or a messaging service's id for texts; "" where none is known."""
    return credentials().sender


def text_form(number: str, words: str, by: str = "") -> list[tuple[str, str]]:
    """What Twilio is given to text `words` to a number, from `by` or our own sender."""
    own = by or sender()
    return [("To", number), ("MessagingServiceSid" if own.startswith("MG") else "From", own), ("Body", words)]


def create(what: str, form: list[tuple[str, str]]) -> dict[str, Any]:
    """POST to "Messages" or "Calls" and wait for it. Raises a DeliveryError."""
    return async_to_sync(_create)(twilio(), what, form)


async def _create(account: TwilioCalls, what: str, form: list[tuple[str, str]]) -> dict[str, Any]:
    async with provider_client() as client:
        return await account.create(client, what, form)


def get(path: str = "", parameters: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    """A resource of the account. Raises a DeliveryError."""
    return async_to_sync(_get)(twilio(), path, parameters or [])


async def _get(account: TwilioCalls, path: str, parameters: list[tuple[str, str]]) -> dict[str, Any]:
    async with provider_client() as client:
        return await account.get(client, path, parameters)


def probe(*, at: datetime) -> Health:
    """Ask Twilio whether our account works; what it says is kept for `health`."""
    found = _asked()
    if found.state != CONNECTED and found.state != NOT_CONNECTED:
        logger.error("the Twilio account does not work: %s", found.detail)
    beat(NAME, at=at, detail={"state": found.state, "detail": found.detail})
    return Health(found.state, found.detail, at)


def changed(*, at: datetime) -> None:
    """The account is another one: what was found of the earlier one holds no more, and this one is asked soon."""
    beat(NAME, at=at, detail={"state": DEGRADED, "detail": "it has not been tried yet"})
    nudge(PROBE)


def _asked() -> Health:
    if not is_connected():
        return Health(NOT_CONNECTED)
    try:
        status = one_line(str(get().get("status", "")), 40)
    except NeverRetry as error:
        return Health(REAUTH, error.reason)
    except DeliveryError as error:
        return Health(DEGRADED, error.reason)
    return Health(CONNECTED) if status in ("active", "") else Health(REAUTH, f"the account is {status}")


def health() -> Health:
    """What was found last; an account without credentials is not connected, whatever was found before."""
    if not is_connected():
        return Health(NOT_CONNECTED)
    found = Heartbeat.objects.filter(name=NAME).first()
    if found is None:
        return Health(CONNECTED)
    return Health(str(found.detail.get("state", CONNECTED)), str(found.detail.get("detail", "")), found.at)
