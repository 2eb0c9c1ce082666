"""Ways to reach the person on call: one class each, all alike. `configured_pagers` is the way in."""

from collections.abc import Mapping

from helpdesk.oncall.pagers.base import Action, Notice, Pager, Sent, Urgency
from helpdesk.oncall.pagers.email import EmailPager
from helpdesk.oncall.pagers.pagerduty import BASE_URL as PAGERDUTY_BASE_URL
from helpdesk.oncall.pagers.pagerduty import PagerDutyPager, pagerduty_dedup_key, routing_keys
from helpdesk.oncall.pagers.slack import SlackPager
from helpdesk.oncall.pagers.slack_calls import BASE_URL as SLACK_BASE_URL

__all__ = [
    "Action",
    "EmailPager",
    "Notice",
    "Pager",
    "PagerDutyPager",
    "Sent",
    "SlackPager",
    "Urgency",
    "configured_pagers",
    "pagerduty_dedup_key",
]


def configured_pagers(settings: Mapping[str, str]) -> dict[str, Pager]:
    """The pagers whose settings are there, by name. Reads PAGERDUTY_ROUTING_KEY, PAGERDUTY_BASE_URL, SLACK_BOT_TOKEN,
    SLACK_CHANNEL, SLACK_BASE_URL and DEFAULT_FROM_EMAIL; a missing or empty base URL means the provider's own.
    """

    def value(name: str, default: str = "") -> str:
        return settings.get(name, "").strip() or default

    pagers: list[Pager] = [
        PagerDutyPager(routing_keys(value("PAGERDUTY_ROUTING_KEY")), value("PAGERDUTY_BASE_URL", PAGERDUTY_BASE_URL)),
        SlackPager(value("SLACK_BOT_TOKEN"), value("SLACK_CHANNEL"), value("SLACK_BASE_URL", SLACK_BASE_URL)),
        EmailPager(value("DEFAULT_FROM_EMAIL")),
    ]
    return {pager.name: pager for pager in pagers if pager.is_configured}
