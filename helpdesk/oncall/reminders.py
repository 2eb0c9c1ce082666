"""Telling people about the rota before it matters: who goes on call now, and where only the fallback would be called.

What was told is remembered beside the heartbeats, so that a restart tells nothing twice.
"""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from helpdesk.customers.models import User
from helpdesk.events.actions import beat
from helpdesk.events.models import Heartbeat
from helpdesk.events.outcomes import DeliveryError
from helpdesk.events.sending_mail import send_email
from helpdesk.oncall import page_words, rotas
from helpdesk.oncall.models import Schedule
from helpdesk.oncall.rota import Slot, handoffs

logger = logging.getLogger(__name__)

# A hand-off older than this is no news any more, as after a long standstill.
NEWS_FOR = timedelta(hours=12)
LOOK_BACK = timedelta(days=4)
GAPS_AGAIN_AFTER = timedelta(days=1)
MOST_GAPS_NAMED = 20


def remind(*, at: datetime) -> int:
    """Send what is due; how many mails left. A mail that could not be sent is tried at the next round."""
    return sum(_tell_handoffs(schedule, at) + _warn_of_gaps(schedule, at) for schedule in Schedule.objects.all())


def _tell_handoffs(schedule: Schedule, at: datetime) -> int:
    name = f"handoffs:{schedule.pk}"
    seen = Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
    since = max(seen or at, at - NEWS_FOR)
    # Without the gaps: who comes back in the morning after a night without anybody was on call before.
    slots = [slot for slot in rotas.timeline(schedule, since - LOOK_BACK, at + timedelta(minutes=1)) if slot.user]
    changes = handoffs(slots)
    people = User.objects.filter(is_active=True).in_bulk([h.arriving for h in changes if h.arriving])
    sent = 0
    for change in changes:
        person = people.get(change.arriving or 0)
        if since < change.at <= at and person is not None:
            if not _send(
                [person.email], *_handoff_mail(schedule, person, change.at), f"handoff-{schedule.pk}-{change.at}"
            ):
                return sent
            sent += 1
    beat(name, at=at, detail={"told": sent})
    return sent


def _handoff_mail(schedule: Schedule, person: User, at: datetime) -> tuple[str, str]:
    until = next(
        (slot.end for slot in rotas.timeline(schedule, at, at + rotas.LOOK_AHEAD) if slot.user == person.pk), None
    )
    with translation.override(page_words.known(person.language)):
        told = {"name": person.name, "schedule": schedule.name, "begin": _local(at, schedule)}
        if until is None:
            words = _("you are on call for “%(schedule)s” from %(begin)s.") % told
        else:
            told["end"] = _local(until, schedule)
            words = _("you are on call for “%(schedule)s” from %(begin)s until %(end)s.") % told
        rota = _("The rota: %(address)s") % {"address": f"{settings.PUBLIC_URL}{reverse('tickets:on_call')}"}
        hello = _("Hello %(name)s,") % told
        return _("You are on call: %(schedule)s") % told, f"{hello}\n\n{words}\n\n{rota}\n"


def _warn_of_gaps(schedule: Schedule, at: datetime) -> int:
    gaps = rotas.coverage_gaps(schedule, at=at)
    name, told = f"gaps:{schedule.pk}", _digest(gaps)
    known = Heartbeat.objects.filter(name=name).first()
    if known is not None and known.detail.get("gaps") == told and (not gaps or at - known.at < GAPS_AGAIN_AFTER):
        return 0
    if gaps and not _send(_owners(schedule), *_gap_mail(schedule, gaps), f"gaps-{schedule.pk}-{told}-{at.date()}"):
        return 0
    beat(name, at=at, detail={"gaps": told})
    return 1 if gaps else 0


def _digest(gaps: Sequence[Slot]) -> str:
    """Which gaps these are, whenever they are looked at: by their ends, since the first one's start moves with us."""
    return hashlib.sha256("".join(gap.end.isoformat() for gap in gaps).encode()).hexdigest()[:16]


def _owners(schedule: Schedule) -> list[str]:
    admins = User.objects.filter(is_active=True, role=User.Role.ADMIN).values_list("email", flat=True)
    return sorted({*admins, schedule.fallback.email})


def _gap_mail(schedule: Schedule, gaps: Sequence[Slot]) -> tuple[str, str]:
    lines = [f"- {_local(gap.start, schedule)} to {_local(gap.end, schedule)}" for gap in gaps[:MOST_GAPS_NAMED]]
    if len(gaps) > MOST_GAPS_NAMED:
        lines.append(f"- and {len(gaps) - MOST_GAPS_NAMED} more")
    return (
        f"Nobody is on call: {schedule.name}",
        f"In the next {rotas.LOOK_AHEAD.days} days nobody is planned in “{schedule.name}” at these times; "
        f"{schedule.fallback.name} would be called:\n\n" + "\n".join(lines) + "\n\n"
        f"The rota: {settings.PUBLIC_URL}{reverse('tickets:on_call')}\n",
    )


def _local(at: datetime, schedule: Schedule) -> str:
    there = at.astimezone(ZoneInfo(schedule.timezone))
    return f"{date_format(there, 'D j M, H:i')} {there:%Z}"


def _send(to: Iterable[str], subject: str, text: str, key: str) -> bool:
    name = hashlib.sha256(key.encode()).hexdigest()[:24]
    headers = {
        "Message-ID": f"<rota-{name}@{settings.MAIL_DOMAIN}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    try:
        send_email(EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, list(to), headers=headers))
    except DeliveryError as error:
        logger.warning("a reminder of the rota did not leave: %s", error)
        return False
    return True
