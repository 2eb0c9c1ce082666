"""Nobody reacts: the page goes from one to the next, round again, until somebody says they are on it."""

from datetime import datetime, timedelta

import pytest

from helpdesk.oncall.models import Page
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine
from tests.fixtures.mailing import raw_mail
from tests.fixtures.providers import PagerDutyServer, SlackServer

pytestmark = pytest.mark.django_db

SATURDAY_NIGHT = datetime.fromisoformat("2026-01-10T23:00+01:00")
FROM_GIL = "Gil Ortega <gil@globex.example>"
TEN_MINUTES = timedelta(minutes=10, seconds=5)


def calls(engine: Engine) -> list[int]:
    return [len(engine.mails(f"{name}@demo.example")) for name in ("grace", "ada", "linus")]


def test_grace_then_ada_then_linus_and_round_again(
    engine: Engine, company: Company, pagerduty: PagerDutyServer
) -> None:
    engine.receive(raw_mail(sender=FROM_GIL), at=SATURDAY_NIGHT, sender="gil@globex.example")
    seen = [calls(engine)]
    for step in range(1, 5):
        engine.until(SATURDAY_NIGHT + step * TEN_MINUTES)
        seen.append(calls(engine))
    assert seen == [[1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 1, 1], [2, 2, 1]]
    ids = [mail["Message-ID"] for mail in engine.mails("grace@demo.example")]
    assert len(set(ids)) == 2, "the second call is not folded into the first"
    assert len({alert.dedup_key for alert in pagerduty.alerts}) == len(pagerduty.alerts) == 1


def test_acknowledged_in_pagerduty_it_is_quiet_and_half_an_hour_later_it_asks_again(
    engine: Engine, company: Company, pagerduty: PagerDutyServer
) -> None:
    engine.receive(raw_mail(sender=FROM_GIL), at=SATURDAY_NIGHT, sender="gil@globex.example")
    soon = SATURDAY_NIGHT + timedelta(minutes=2)
    page = Page.objects.get()
    headers, raw = pagerduty.webhook("incident.acknowledged", page.dedup_key, soon)
    assert engine.post("/hooks/pagerduty/", soon, raw, **headers) in (200, 202)
    page.refresh_from_db()
    assert (page.state, page.acknowledged_by) == ("acknowledged", company.grace)
    engine.until(soon + timedelta(minutes=29))
    assert calls(engine) == [1, 0, 0]
    engine.until(soon + timedelta(minutes=31))
    assert calls(engine) == [2, 0, 0], "nobody took the ticket"


def test_the_button_in_slack_acknowledges(engine: Engine, company: Company, slack: SlackServer) -> None:
    engine.receive(raw_mail(sender=FROM_GIL), at=SATURDAY_NIGHT, sender="gil@globex.example")
    (message,) = slack.messages
    soon = SATURDAY_NIGHT + timedelta(minutes=2)
    headers, raw = slack.press(message, soon)
    assert engine.post("/hooks/slack/interactivity/", soon, raw, **headers) == 200
    page = Page.objects.get()
    assert (page.state, page.acknowledged_by) == ("acknowledged", company.grace)
    assert "Acknowledged" in message.text and message.button("acknowledge_page") is None
    engine.until(soon + timedelta(minutes=25))
    assert calls(engine) == [1, 0, 0]
