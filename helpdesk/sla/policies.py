"""Writing policies, and seeing to it that every promise can be counted: hours that never hold a goal are refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from helpdesk.sla.calendars import hours_of
from helpdesk.sla.hours import NeverOpen, OpeningHours
from helpdesk.sla.models import Calendar, Goal, Policy


class UncountableGoal(ValueError):
    """The calendar does not hold that much opening time within ten years, so no clock could ever be due."""


@dataclass(frozen=True, slots=True)
class GoalGiven:
    """Opening time, in seconds, within which `target` is promised for `priority`."""

    target: str
    priority: str
    seconds: int


@transaction.atomic
def save_policy(
    policy: Policy, *, at: datetime, name: str, calendar: Calendar, goals: Iterable[GoalGiven] | None = None
) -> Policy:
    """Write a policy, new or known; `goals` replace its own, None leaves them. Promises already made stay as they are.

    Raises UncountableGoal.
    """
    policy.name, policy.calendar = name, calendar
    policy.save()
    if goals is not None:
        policy.goals.all().delete()
        Goal.objects.bulk_create(
            Goal(policy=policy, target=goal.target, priority=goal.priority, seconds=goal.seconds) for goal in goals
        )
    longest = policy.goals.aggregate(seconds=Max("seconds"))["seconds"]
    check_holds(hours_of(calendar.pk, calendar.version), longest or 0, at)
    return policy


def longest_goal(calendar: Calendar) -> int:
    """Seconds of the longest goal counted on this calendar, 0 where there is none."""
    longest: int | None = Goal.objects.filter(policy__calendar=calendar).aggregate(seconds=Max("seconds"))["seconds"]
    return longest or 0


def check_holds(hours: OpeningHours, seconds: int, at: datetime) -> None:
    """Raises UncountableGoal where a goal of that many seconds would never be due, or nothing is ever open."""
    try:
        hours.add(at, max(seconds, 1))
    except NeverOpen as error:
        raise UncountableGoal(f"these hours do not hold {max(seconds // 60, 1)} minutes within ten years") from error
