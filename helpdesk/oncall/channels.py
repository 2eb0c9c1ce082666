"""The pagers of this installation, from the settings, and the Twilio account that may be entered there as well."""

from django.conf import settings

from helpdesk.oncall import twilio_account
from helpdesk.oncall.pagers import Pager, configured_pagers

_SETTINGS = (
    "PAGERDUTY_ROUTING_KEY",
    "PAGERDUTY_BASE_URL",
    "SLACK_BOT_TOKEN",
    "SLACK_CHANNEL",
    "SLACK_BASE_URL",
    "TWILIO_BASE_URL",
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_BASE_URL",
    "PUBLIC_URL",
    "DEFAULT_FROM_EMAIL",
)


def pagers() -> dict[str, Pager]:
    """By name. Cheap enough to ask each time, so that a changed setting holds at once."""
    twilio = twilio_account.credentials()
    own = {"TWILIO_ACCOUNT_SID": twilio.account_sid, "TWILIO_AUTH_TOKEN": twilio.token, "TWILIO_FROM": twilio.sender}
    return configured_pagers({name: getattr(settings, name) for name in _SETTINGS} | own)
