"""Ways to reach the person on call: one class each, all alike. `configured_pagers` is the way in."""

from collections.abc import Mapping

from helpdesk.events.twilio_calls import BASE_URL as TWILIO_BASE_URL
from helpdesk.events.twilio_calls import TwilioCalls
from helpdesk.oncall.pagers.base import Action, Notice, Pager, Sent, Urgency
from helpdesk.oncall.pagers.email import EmailPager
from helpdesk.oncall.pagers.pagerduty import BASE_URL as PAGERDUTY_BASE_URL
from helpdesk.oncall.pagers.pagerduty import PagerDutyPager, pagerduty_dedup_key, routing_keys
from helpdesk.oncall.pagers.slack import SlackPager
from helpdesk.oncall.pagers.slack_calls import BASE_URL as SLACK_BASE_URL
from helpdesk.oncall.pagers.sms import SmsPager
from helpdesk.oncall.pagers.telegram import TelegramPager
from helpdesk.oncall.pagers.telegram_calls import BASE_URL as TELEGRAM_BASE_URL
from helpdesk.oncall.pagers.voice import VoicePager

__all__ = [
    "Action",
    "EmailPager",
    "Notice",
    "Pager",
    "PagerDutyPager",
    "Sent",
    "SlackPager",
    "SmsPager",
    "TelegramPager",
    "Urgency",
    "VoicePager",
    "configured_pagers",
    "pagerduty_dedup_key",
]


def configured_pagers(settings: Mapping[str, str]) -> dict[str, Pager]:
    """The pagers whose settings are there, by name. Reads PAGERDUTY_ROUTING_KEY, PAGERDUTY_BASE_URL, SLACK_BOT_TOKEN,
    SLACK_CHANNEL, SLACK_BASE_URL, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM, TWILIO_BASE_URL,
    TELEGRAM_BOT_TOKEN, TELEGRAM_BASE_URL, PUBLIC_URL and DEFAULT_FROM_EMAIL; a missing or empty base URL means the
    provider's own.
    """

    def value(name: str, default: str = "") -> str:
        return settings.get(name, "").strip() or default

    base = value("TWILIO_BASE_URL", TWILIO_BASE_URL)
    twilio = TwilioCalls(value("TWILIO_ACCOUNT_SID"), value("TWILIO_AUTH_TOKEN"), base)
    sender, public_url = value("TWILIO_FROM"), value("PUBLIC_URL")
    pagers: list[Pager] = [
        PagerDutyPager(routing_keys(value("PAGERDUTY_ROUTING_KEY")), value("PAGERDUTY_BASE_URL", PAGERDUTY_BASE_URL)),
        SlackPager(value("SLACK_BOT_TOKEN"), value("SLACK_CHANNEL"), value("SLACK_BASE_URL", SLACK_BASE_URL)),
        SmsPager(twilio, sender, public_url),
        VoicePager(twilio, sender, public_url),
        TelegramPager(value("TELEGRAM_BOT_TOKEN"), value("TELEGRAM_BASE_URL", TELEGRAM_BASE_URL)),
        EmailPager(value("DEFAULT_FROM_EMAIL")),
    ]
    return {pager.name: pager for pager in pagers if pager.is_configured}
