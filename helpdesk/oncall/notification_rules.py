"""Writing how a person wants to be called. A rule that could never ring is refused, so that nobody relies on it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from helpdesk.customers.models import User
from helpdesk.oncall import linking
from helpdesk.oncall.channels import pagers
from helpdesk.oncall.models import NotificationRule, Urgency
from helpdesk.oncall.pagers.pagerduty import DEFAULT_ALIAS, routing_keys

MOST_RULES = 40


class SenselessRule(ValueError):
    """A rule that contradicts itself, or leads nowhere; `field` is what to change."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@transaction.atomic
def save_rule(rule: NotificationRule, fields: Mapping[str, Any]) -> NotificationRule:
    """Write a rule, new or known; `fields` are columns. An empty `to` is the channel's usual place.

    Raises SenselessRule.
    """
    if fields.get("channel", rule.channel) != rule.channel:
        rule.to = ""
    for name, value in fields.items():
        setattr(rule, name, value)
    # One at a time for one person, so that two calls at once cannot both be the last that is allowed.
    owner = User.objects.select_for_update().get(pk=rule.user_id)
    rule.to = _place(rule.channel, rule.to.strip(), owner)
    _check_quiet_hours(rule)
    others = NotificationRule.objects.filter(user=owner).exclude(pk=rule.pk)
    if others.count() >= MOST_RULES:
        raise SenselessRule("user", f"a person has at most {MOST_RULES} rules")
    same = {name: getattr(rule, name) for name in ("urgency", "channel", "to", "delay_seconds")}
    if others.filter(**same).exists():
        raise SenselessRule("to", "there is such a rule already")
    rule.save()
    return rule


def _place(channel: str, to: str, owner: User) -> str:
    """Where the channel leads. Raises SenselessRule."""
    if channel not in pagers():
        known = ", ".join(sorted(pagers()))
        raise SenselessRule("channel", f"this channel is not connected here; there are: {known}")
    if channel == "email":
        try:
            validate_email(to or owner.email)
        except ValidationError as error:
            raise SenselessRule("to", "this is not an e-mail address") from error
        return to or owner.email
    if channel == "pagerduty":
        if (to or DEFAULT_ALIAS) not in routing_keys(settings.PAGERDUTY_ROUTING_KEY):
            raise SenselessRule("to", "PAGERDUTY_ROUTING_KEY has no key of that alias")
        return to or DEFAULT_ALIAS
    if linking.kind_of_channel(channel):
        return _own(channel, to, owner)
    return to or str(settings.SLACK_CHANNEL)


def _own(channel: str, to: str, owner: User) -> str:
    """The agent's own phone or chat: pages go nowhere else, so that nobody can have a stranger called at night."""
    address = linking.address_of(owner, linking.kind_of_channel(channel))
    if not address:
        raise SenselessRule("channel", "link your phone or Telegram first, under My phone and Telegram")
    if to and to != address:
        raise SenselessRule("to", f"this is not the one you have linked; that is {address}")
    return address


def _check_quiet_hours(rule: NotificationRule) -> None:
    given = (rule.quiet_from, rule.quiet_until)
    if given == (None, None):
        return
    if None in given:
        raise SenselessRule("quiet_until", "quiet hours have a beginning and an end")
    if rule.urgency != Urgency.LOW:
        raise SenselessRule("quiet_from", "only low urgency waits out quiet hours")
    if rule.quiet_from == rule.quiet_until:
        raise SenselessRule("quiet_until", "quiet hours cannot last the whole day")
