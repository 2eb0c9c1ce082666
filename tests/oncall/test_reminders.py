"""Hand-offs are told to whoever goes on call, gaps to those who plan; each once."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from helpdesk.oncall import reminders
from helpdesk.oncall.models import LayerMember, Schedule
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db


def sent(settings: Settings, word: str) -> list[str]:
    mails = [path.read_text() for path in Path(settings.SENT_MAIL_DIR).glob("*.eml")]
    return [mail for mail in mails if word in mail]


@pytest.fixture
def schedule(company: Company) -> Schedule:
    """Grace and Linus take weekly turns, Monday 09:00."""
    schedule = Schedule.objects.get()
    LayerMember.objects.create(layer=schedule.layers.get(), user=company.linus, position=2)
    return schedule


def test_who_goes_on_call_is_told_once(schedule: Schedule, at: datetime, settings: Settings) -> None:
    before, after = at - timedelta(minutes=1), at + timedelta(minutes=1)
    assert reminders.remind(at=before) == 0
    assert reminders.remind(at=after) == 1
    assert reminders.remind(at=after + timedelta(minutes=1)) == 0
    (mail,) = sent(settings, "You are on call")
    assert "linus@demo.example" in mail


def test_a_gap_is_told_to_the_planners_once_a_day_until_it_is_closed(
    schedule: Schedule, at: datetime, settings: Settings
) -> None:
    layer = schedule.layers.get()
    layer.restrictions = [{"days": [0, 1, 2, 3, 4], "start": "08:00", "end": "20:00"}]
    layer.save()
    tuesday = at + timedelta(days=1)
    assert reminders.remind(at=tuesday) == 1
    assert reminders.remind(at=tuesday + timedelta(minutes=5)) == 0
    (mail,) = sent(settings, "Nobody is on call")
    assert "ada@demo.example" in mail
    assert reminders.remind(at=tuesday + timedelta(days=1, hours=1)) == 1
    layer.restrictions = []
    layer.save()
    assert reminders.remind(at=tuesday + timedelta(days=2, hours=2)) == 0
