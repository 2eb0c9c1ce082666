"""Turning a page's step into messages: who is called, on which channel, when."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property

from django.conf import settings
from django.db import transaction
from django.utils.dateparse import parse_datetime

from helpdesk.customers.models import User
from helpdesk.events.nudge import nudge
from helpdesk.oncall import rotas
from helpdesk.oncall.channels import pagers
from helpdesk.oncall.models import NotificationRule, Page, PageDelivery, Urgency
from helpdesk.oncall.quiet import QuietHours

logger = logging.getLogger(__name__)

DELIVER = "helpdesk.oncall.tasks.deliver_pages"
# Channels the whole team shares: told of every page, whoever is called.
SHARED = ("pagerduty", "slack")
# Channels that can take a call back: they are told what became of it.
TOLD_OF_THE_END = (*SHARED, "telegram")
# Without an own rule a person is written to at once; low urgency keeps out of the night.
QUIET_FROM, QUIET_UNTIL = time(20), time(8)
_Place = tuple[int, str, str]
"""A page, a channel, an address."""


@dataclass(frozen=True, slots=True)
class Call:
    """A page whose step is to be carried out, and when that was promised."""

    page: Page
    promised_at: datetime


class _Book:
    """Who is on call and how each wants to be called, looked up once for a batch of pages."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._steps: dict[tuple[int | None, int | None], list[User]] = {}
        self._rules: dict[tuple[int, str], list[NotificationRule]] = {}

    def people(self, step: dict[str, int | None]) -> list[User]:
        """The active people of one step; the one on call may be a fallback who has left, and then it is nobody."""
        key = (step["schedule"], step["user"])
        if key not in self._steps:
            if step["schedule"] is not None:
                found = [rotas.on_call(step["schedule"], self._at)]
            else:
                found = list(User.objects.filter(pk__in=[step["user"]]))
            self._steps[key] = [user for user in found if user.is_active]
        return self._steps[key]

    @cached_property
    def everybody(self) -> list[User]:
        return list(User.objects.filter(is_active=True))

    @cached_property
    def shared_channels(self) -> list[str]:
        configured = pagers()
        return [name for name in SHARED if name in configured]

    def learn_rules(self, users: Iterable[User]) -> None:
        found: dict[tuple[int, str], list[NotificationRule]] = defaultdict(list)
        for rule in NotificationRule.objects.filter(user__in={user.pk for user in users}).order_by("pk"):
            found[rule.user_id, rule.urgency].append(rule)
        self._rules = found

    def rules(self, user: User, urgency: str) -> list[NotificationRule]:
        own = self._rules.get((user.pk, urgency))
        return own or [NotificationRule(user=user, urgency=urgency, channel="email", to=user.email)]


def call_steps(wanted: Sequence[Call], *, at: datetime) -> None:
    """Write the messages of each page's current step and set when the next step follows. The caller saves the pages.

    A step without anybody is skipped at once; where no step has anybody, every active agent is called.
    """
    if not wanted:
        return
    book = _Book(at)
    called = [(call, _find_people(call.page, book)) for call in wanted]
    book.learn_rules(person for _, people in called for person in people)
    deliveries: dict[_Place, PageDelivery] = {}
    for call, people in called:
        shared = [_shared(call, channel, at) for channel in book.shared_channels if not _is_told(call.page, channel)]
        personal = [delivery for person in people for delivery in _personal(call, person, book, at)]
        # Where a person's own way is a shared one, the message is that person's: should it fail, we know whom to mail.
        deliveries |= {_place(delivery): delivery for delivery in (*shared, *reversed(personal))}
        call.page.next_step_at = _next_step(call.page, at)
    _supersede([call.page for call in wanted], deliveries)
    PageDelivery.objects.bulk_create(deliveries.values(), ignore_conflicts=True)
    transaction.on_commit(_nudge, robust=True)


def _nudge() -> None:
    nudge(DELIVER)


def _find_people(page: Page, book: _Book) -> list[User]:
    steps = page.policy["steps"]
    for _ in steps:
        if page.step >= len(steps):
            page.step = 0
        people = book.people(steps[page.step])
        if people:
            return people
        logger.warning("step %s of page %s has nobody to call; taking the next", page.step + 1, page.pk)
        page.step += 1
    page.step = 0
    if not book.everybody:
        logger.error("page %s has nobody to call: there is no active agent", page.pk)
    return book.everybody


def _next_step(page: Page, at: datetime) -> datetime | None:
    """Low urgency wakes nobody, so it does not escalate; the clocks behind it will, if nobody looks in time."""
    steps, repeats = page.policy["steps"], page.policy["repeats"]
    if page.urgency == Urgency.LOW:
        return None
    finished = page.step + 1 >= max(len(steps), 1)
    if finished and repeats is not None and page.round + 1 >= len(steps) * (repeats + 1):
        return None
    delay = steps[page.step]["delay_seconds"] if steps else 300
    return at + timedelta(seconds=delay)


def _place(delivery: PageDelivery) -> _Place:
    return delivery.page_id, delivery.channel, delivery.to


def _supersede(pages: Sequence[Page], deliveries: Mapping[_Place, PageDelivery]) -> None:
    """A call that waits (for the morning, for a provider) gives way to the new one to the same place.

    What was promised first stays promised: the new call tells how late it is.
    """
    again = [page.pk for page in pages if page.round]
    if not again:
        return
    waiting = PageDelivery.objects.filter(
        page__in=again, action=PageDelivery.Action.TRIGGER, state=PageDelivery.State.PENDING
    )
    replaced = []
    for old in waiting.order_by("pk").select_for_update(no_key=True):
        new = deliveries.get(_place(old))
        if new is not None:
            replaced.append(old.pk)
            new.promised_at = min(new.promised_at, old.promised_at)
    PageDelivery.objects.filter(pk__in=replaced).update(state=PageDelivery.State.CANCELLED)


def _is_told(page: Page, channel: str) -> bool:
    """Whether a shared channel knows of all that a new page is for. Who is called again is called everywhere: that
    nobody came is news.
    """
    return not page.round and all(channel in reason.get("told_in", ()) for reason in page.reasons)


def _shared(call: Call, channel: str, at: datetime) -> PageDelivery:
    to = settings.SLACK_CHANNEL if channel == "slack" else "default"

    def leaves(moment: datetime) -> datetime:
        return _leaves_at(moment, call.page, settings.OFFICE_TIME_ZONE)

    return _delivery(call, channel, to, leaves(call.promised_at), leaves(at))


def _personal(call: Call, user: User, book: _Book, at: datetime) -> list[PageDelivery]:
    deliveries = []
    for rule in book.rules(user, call.page.urgency):
        wait = timedelta(seconds=rule.delay_seconds)
        promised_at = _leaves_at(call.promised_at + wait, call.page, user.timezone, rule)
        due_at = _leaves_at(at + wait, call.page, user.timezone, rule)
        deliveries.append(_delivery(call, rule.channel, rule.to, promised_at, due_at, user))
    return deliveries


def _leaves_at(moment: datetime, page: Page, timezone: str, rule: NotificationRule | None = None) -> datetime:
    """When a message for `moment` may leave: high urgency then. Low urgency wakes nobody: it waits until the office
    opens, where a request came in while it was closed, and out of the quiet hours of whom it is for.
    """
    if page.urgency != Urgency.LOW:
        return moment
    return _after_quiet(max(moment, _opening(page) or moment), timezone, rule)


def _opening(page: Page) -> datetime | None:
    """Before when the reasons of a page, each of which may name an opening of the office, tell nobody."""
    named = [parse_datetime(reason["not_before"]) for reason in page.reasons if "not_before" in reason]
    return max((opening for opening in named if opening is not None), default=None)


def _after_quiet(due: datetime, timezone: str, rule: NotificationRule | None) -> datetime:
    start = (rule and rule.quiet_from) or QUIET_FROM
    end = (rule and rule.quiet_until) or QUIET_UNTIL
    try:
        return QuietHours(timezone, start, end).until(due) or due
    except ValueError:
        # Quiet hours that make no sense must not cost a page: it leaves at once.
        logger.warning("quiet hours from %s to %s in %s make no sense; nothing is held back", start, end, timezone)
        return due


def _delivery(
    call: Call, channel: str, to: str, promised_at: datetime, due_at: datetime, user: User | None = None
) -> PageDelivery:
    return PageDelivery(
        page=call.page,
        user=user,
        channel=channel,
        to=to,
        action=PageDelivery.Action.TRIGGER,
        round=call.page.round,
        promised_at=promised_at,
        due_at=due_at,
    )


def tell_everyone(page: Page, action: str, *, at: datetime) -> None:
    """Drop the calls that have not left, and tell the channels that can take a call back what became of it.

    A call that was tried counts as told, whatever we know of its end: it may have arrived.
    """
    calls = page.deliveries.filter(action=PageDelivery.Action.TRIGGER)
    unsent = calls.filter(state=PageDelivery.State.PENDING, attempts=0).order_by("pk").select_for_update(no_key=True)
    calls.filter(pk__in=[d.pk for d in unsent]).update(state=PageDelivery.State.CANCELLED)
    told = calls.filter(attempts__gt=0, channel__in=TOLD_OF_THE_END).exclude(state=PageDelivery.State.FAILED)
    places = set(told.values_list("channel", "to"))
    PageDelivery.objects.bulk_create(
        [
            PageDelivery(page=page, channel=channel, to=to, action=action, round=page.round, promised_at=at, due_at=at)
            for channel, to in sorted(places)
        ],
        ignore_conflicts=True,
    )
    transaction.on_commit(_nudge, robust=True)
