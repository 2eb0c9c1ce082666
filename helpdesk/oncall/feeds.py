"""A rota as a calendar others can subscribe to: what it says, and the address that opens it without a login."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.urls import reverse

from helpdesk.customers.models import User
from helpdesk.oncall import rotas
from helpdesk.oncall.calendar_feed import ical
from helpdesk.oncall.models import Schedule

AHEAD = timedelta(days=60)
BEHIND = timedelta(days=7)
SALT = "schedule-feed"


def calendar(schedule: Schedule, *, at: datetime) -> bytes:
    """The rota from a week ago to sixty days ahead (RFC 5545). Raises ValueError for a rota that makes no sense."""
    slots = rotas.whole_timeline(schedule, at - BEHIND, at + AHEAD)
    names = {user.pk: str(user) for user in User.objects.filter(pk__in={s.user for s in slots if s.user is not None})}
    host = urlsplit(settings.PUBLIC_URL).hostname or "helpdesk"
    return ical(slots, names, schedule.name, host, at)


def feed_url(schedule: Schedule, user: User) -> str:
    """An address for this person's calendar program. It holds as long as the person is an active agent."""
    token = signing.dumps({"schedule": schedule.pk, "user": user.pk}, salt=SALT)
    return f"{settings.PUBLIC_URL}{reverse('schedule_feed', args=[schedule.pk])}?token={token}"


def reader(schedule_id: int, token: str) -> int:
    """The id of the agent the address was made for. Raises signing.BadSignature."""
    told = signing.loads(token, salt=SALT)
    if told.get("schedule") != schedule_id:
        raise signing.BadSignature("the address of another calendar")
    return int(told["user"])
