"""The pagers of this installation, from the settings."""

from django.conf import settings

from helpdesk.oncall.pagers import Pager, configured_pagers

_SETTINGS = (
    "PAGERDUTY_ROUTING_KEY",
    "PAGERDUTY_BASE_URL",
    "SLACK_BOT_TOKEN",
    "SLACK_CHANNEL",
    "SLACK_BASE_URL",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_FROM",
    "TWILIO_BASE_URL",
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_BASE_URL",
    "PUBLIC_URL",
    "DEFAULT_FROM_EMAIL",
)


def pagers() -> dict[str, Pager]:
    """By name. Cheap enough to ask each time, so that a changed setting holds at once."""
    return configured_pagers({name: getattr(settings, name) for name in _SETTINGS})
